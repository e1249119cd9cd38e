package mutant

import (
	"os/exec"
	"strings"
	"testing"
)

func answer() int { return 42 }

// TestBuild is also the test that the mutant fails.
func TestBuild(t *testing.T) {
	if got := answer(); got != 42 {
		t.Fatalf("answer() = %d", got)
	}
	m := Mutant{Name: "another answer", File: "mutant_test.go", Edits: [][2]string{{"int { return " + "42 }", "int { return 41 }"}}}
	out, err := exec.Command(Build(t, nil, m), "-test.run", "TestBuild").CombinedOutput()
	if got := FirstFailure(string(out)); err == nil || !strings.HasSuffix(got, "answer() = 41") {
		t.Errorf("the mutant passes, or fails otherwise: %v\n%s", err, out)
	}
}

func TestFirstFailure(t *testing.T) {
	for out, want := range map[string]string{
		"=== RUN TestX\n    x_test.go:3: wrong\nFAIL\n": "x_test.go:3: wrong",
		"panic: no\ngoroutine 1\n":                      "panic: no",
		" killed \n":                                    "killed",
	} {
		if got := FirstFailure(out); got != want {
			t.Errorf("FirstFailure(%q) = %q, want %q", out, got, want)
		}
	}
}
