package guard

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/zmqsafe/zmq-exit/internal/mutant"
)

var modelForm = flag.String("model", "", "check the model in this form: short or full; it needs spin and a C compiler, see make model")

// property is what spin looks for, and so how it searches.
type property struct {
	define string // for the model
	build  string // for its verifier, pan
	run    string // for pan, too
	broken string // what is wrong if the property doesn't hold
}

var (
	// atRest: no assertion fails, and when nothing moves any more, nobody waits
	// who needn't.
	atRest = property{"ATREST", "-DSAFETY", "", "everybody waits, and one needn't"}
	// forever: nobody waits for ever who needn't, if every goroutine that can
	// go on does so at some time.
	forever = property{"FOREVER", "-DNFAIR=3", "-a -f", "a call that needn't wait waits for ever"}
	// busy: nobody tries again and again while nothing happens.
	busy = property{"BUSY", "-DNOSTUTTER", "-a", "a call tries again and again, and nothing happens"}
)

// configuration is an instance of the model that spin searches completely.
type configuration struct {
	name    string
	defines string
	property
	long bool // not in the short form
}

// search is a configuration with a mutant or without, and what spin finds.
type search struct {
	configuration
	mutant.Mutant
	states string
	took   time.Duration
	fault  string // empty if all holds
	trail  string // how it comes to the fault
}

// TestModel has spin search the model, which must have no fault, and its
// mutants, which must have one.
func TestModel(t *testing.T) {
	needSpin(t)
	var all []*search
	for _, c := range configurations {
		if !c.long || *modelForm == "full" {
			all = append(all, &search{configuration: c})
		}
	}
	for _, m := range modelMutants {
		i := slices.IndexFunc(configurations, func(c configuration) bool { return c.name == m.in })
		all = append(all, &search{configuration: configurations[i], Mutant: m.Mutant})
	}
	t.Run("all", func(t *testing.T) {
		for _, s := range all {
			t.Run(s.name+"/"+cmp.Or(s.Name, "no mutant"), func(t *testing.T) {
				t.Parallel()
				s.run(t)
				switch found, isMutant := s.fault != "", s.Name != ""; {
				case found && !isMutant:
					t.Errorf("the model of the wait has a fault: %s\nIt is found with spin -D%s, and comes about so (the last steps):\n%s",
						s.fault, strings.Join(s.allDefines(), " -D"), s.trail)
				case !found && isMutant:
					t.Errorf("the mutant %q isn't found by the configuration %q: the model has become too weak, or the mutant is no fault any more", s.Name, s.name)
				}
			})
		}
	})
	table(all)
}

func table(all []*search) {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "\nconfiguration\tstates\ttime\tverdict")
	for _, s := range all {
		if s.states == "" {
			continue // go test -run has left it out, or it has failed
		}
		name, verdict := s.name, cmp.Or(s.fault, "holds")
		switch {
		case s.Name != "" && s.fault != "":
			name, verdict = name+", mutant: "+s.Name, "found: "+s.fault
		case s.Name != "":
			name, verdict = name+", mutant: "+s.Name, "NOT FOUND"
		}
		fmt.Fprintf(w, "%s\t%s\t%.1f s\t%s\n", name, s.states, s.took.Seconds(), verdict)
	}
}

// needSpin skips the test unless the model is asked for, and then fails it if
// the model can't be searched.
func needSpin(t *testing.T) {
	t.Helper()
	if *modelForm == "" {
		t.Skip("not run without -model: make model runs it")
	}
	for _, program := range []string{"spin", "cc"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v; make model installs it", err)
		}
	}
}

var (
	panStates = regexp.MustCompile(`(?m)^ *([0-9.e+]+) states, stored`)
	panErrors = regexp.MustCompile(`errors: ([0-9]+)`)
	panFault  = regexp.MustCompile(`(?m)^pan:[0-9]+: (.*) \(at depth`)
)

func (s *search) allDefines() []string { return append(strings.Fields(s.defines), s.define) }

func (s *search) run(t *testing.T) {
	t.Helper()
	flags := []string{"-O1", "-DCOLLAPSE", s.build}
	if s.Name != "" {
		flags[0] = "-O0" // it is found soon
	}
	pan := buildModel(t, s.Mutant, s.allDefines(), flags)
	began := time.Now()
	out := runIn(t, filepath.Dir(pan), nil, pan, append([]string{"-E", "-m1000000"}, strings.Fields(s.property.run)...)...)
	s.took = time.Since(began)
	states, errs := panStates.FindStringSubmatch(out), panErrors.FindStringSubmatch(out)
	if states == nil || errs == nil || errs[1] == "0" && !completed(out) {
		t.Fatalf("%s: spin didn't search all states:\n%s", s.name, out)
	}
	s.states = states[1]
	if errs[1] != "0" {
		s.fault = s.plain(out)
		s.trail = trail(t, filepath.Dir(pan), s.allDefines())
	}
}

// completed reports whether pan has searched everything.
func completed(out string) bool {
	return !strings.Contains(out, "Search not completed") && !strings.Contains(out, "max search depth too small")
}

// plain says what pan has found.
func (p property) plain(out string) string {
	fault := panFault.FindStringSubmatch(out)
	switch {
	case fault == nil:
		return "an error that pan doesn't name"
	case strings.Contains(fault[1], "acceptance cycle"):
		return p.broken
	case strings.Contains(fault[1], "waits["): // the assertion about STUCK
		return atRest.broken
	}
	return fault[1]
}

// trail returns the last steps to a fault, and the values of variables at the
// end.
func trail(t *testing.T, dir string, defines []string) string {
	t.Helper()
	var steps []string
	for line := range strings.Lines(runIn(t, dir, nil, "spin", modelArgs(defines, "-t", "-p")...)) {
		if !slices.ContainsFunc([]string{"(goto)", "sub-sequence", "[else]", "(never"}, func(s string) bool { return strings.Contains(line, s) }) {
			steps = append(steps, line)
		}
	}
	return strings.Join(steps[max(0, len(steps)-200):], "")
}

func modelArgs(defines []string, args ...string) []string {
	for _, d := range defines {
		args = append(args, "-D"+d)
	}
	return append(args, "wait.pml")
}

// buildModel makes a verifier for the model with a mutant or none, and returns
// its path.
func buildModel(t *testing.T, m mutant.Mutant, defines, flags []string) (pan string) {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("model/*.pml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if file == m.File {
			text = []byte(m.Edit(t, string(text)))
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := runIn(t, dir, nil, "spin", modelArgs(defines, "-a")...); strings.Contains(out, "Error") {
		t.Fatalf("spin can't read the model:\n%s", out)
	}
	runIn(t, dir, nil, "cc", append(flags, "-w", "-o", "pan", "pan.c")...)
	return filepath.Join(dir, "pan")
}

func runIn(t *testing.T, dir string, in io.Reader, name string, args ...string) (out string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Stdin = dir, in
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return string(text)
}

// The model has the mutants that the code has, and each is searched for.
func TestModelMutants(t *testing.T) {
	var code, model []string
	for _, m := range mutants {
		code = append(code, m.Name)
	}
	for _, m := range modelMutants {
		if !m.more {
			model = append(model, m.Name)
		}
		if !slices.ContainsFunc(configurations, func(c configuration) bool { return c.name == m.in }) {
			t.Errorf("%s: there is no configuration %q", m.Name, m.in)
		}
		text, err := os.ReadFile(m.File)
		if err != nil {
			t.Fatal(err)
		}
		m.Edit(t, string(text))
	}
	slices.Sort(code)
	slices.Sort(model)
	if !slices.Equal(code, model) {
		t.Errorf("the code has the mutants\n%q\nbut the model has\n%q", code, model)
	}
}
