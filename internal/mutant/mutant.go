// Package mutant makes faults on purpose, which tests must find: copies of
// files that only the compiler sees (go help build, -overlay).
package mutant

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Mutant is a fault. Each edit replaces a text, which must occur once in the
// file, by another.
type Mutant struct {
	Name  string
	File  string // from the directory of the test; empty for no fault at all
	Edits [][2]string
}

// Build compiles the tests of the package in the current directory with all of
// some faults in them, without -race, and returns the path of the binary. env
// is added to the environment of the compiler.
func Build(t *testing.T, env []string, mutants ...Mutant) (binary string) {
	t.Helper()
	dir := t.TempDir()
	texts := make(map[string]string) // by file
	for _, m := range mutants {
		if m.File != "" {
			texts[m.File] = m.Edit(t, texts[m.File])
		}
	}
	replace := make(map[string]string)
	for file, text := range texts {
		copied := filepath.Join(dir, filepath.Base(file))
		replace[absolute(t, file)] = copied
		write(t, copied, []byte(text))
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "mutant.test")
	write(t, overlayFile, overlay)
	build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlayFile, "-o", binary, ".")
	build.Env = append(append(os.Environ(), "GOFLAGS="), env...) // no -race, no -asan: it is built often
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the mutant doesn't compile; mend it in this file: %v\n%s", err, out)
	}
	return binary
}

// Edit makes the fault in a text: that of the file if it is empty.
func (m Mutant) Edit(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		source, err := os.ReadFile(m.File)
		if err != nil {
			t.Fatal(err)
		}
		text = string(source)
	}
	for _, edit := range m.Edits {
		if n := strings.Count(text, edit[0]); n != 1 {
			t.Fatalf("%s has %d times what the mutant replaces, want once; the code has changed, so mend the mutant in this file:\n%s", m.File, n, edit[0])
		}
		text = strings.Replace(text, edit[0], edit[1], 1)
	}
	return text
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func absolute(t *testing.T, file string) string {
	t.Helper()
	path, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// FirstFailure is the first line of a test's output that says what failed.
func FirstFailure(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:") {
			return strings.TrimSpace(line)
		}
	}
	return strings.TrimSpace(out)
}
