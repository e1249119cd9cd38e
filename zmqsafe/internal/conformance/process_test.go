package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	rawPath     = "github.com/pebbe/zmq4"
	zmqsafePath = rawPath // until zmqsafe has the whole API
)

// suite is a compiled test suite.
type suite struct {
	binary string
	alone  bool // has a network and a /tmp of its own
}

// buildSuites compiles raw's tests twice: as they are, and with the import path
// replaced. The second package stands nowhere but in an overlay, so it takes
// this module's requirements, and needs no network.
func buildSuites(t *testing.T) (onRaw, onZmqsafe suite) {
	t.Helper()
	dir := strings.TrimSpace(goCommand(t, "list", "-m", "-f", "{{.Dir}}", rawPath))
	sources, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	require.NotEmpty(t, sources)

	temp := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, source := range sources {
		text, err := os.ReadFile(source)
		require.NoError(t, err)
		text = bytes.ReplaceAll(text, []byte(`"`+rawPath+`"`), []byte(`"`+zmqsafePath+`"`))
		replaced := filepath.Join(temp, filepath.Base(source))
		require.NoError(t, os.WriteFile(replaced, text, 0o600))
		overlay.Replace[filepath.Join("suite", filepath.Base(source))] = replaced
	}
	text, err := json.Marshal(overlay)
	require.NoError(t, err)
	overlayFile := filepath.Join(temp, "overlay.json")
	require.NoError(t, os.WriteFile(overlayFile, text, 0o600))

	onRaw.binary, onZmqsafe.binary = filepath.Join(temp, "raw.test"), filepath.Join(temp, "zmqsafe.test")
	goCommand(t, "test", "-c", "-race", "-o", onRaw.binary, rawPath)
	// go vet looks for the folder itself, overlay or not.
	goCommand(t, "test", "-c", "-race", "-vet=off", "-overlay", overlayFile, "-o", onZmqsafe.binary, "./suite")

	onRaw.alone = true
	if _, err := onRaw.list(t.Context()); err != nil {
		t.Logf("the suite shares its ports and /tmp with all else on this system: %v", err)
		onRaw.alone = false
	}
	onZmqsafe.alone = onRaw.alone
	return onRaw, onZmqsafe
}

func goCommand(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go %q\n%s%s", args, out, &stderr)
	return string(out)
}

// list returns the names of the tests.
func (s suite) list(ctx context.Context) ([]string, error) {
	out, err := s.command(ctx, "-test.list=.").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return strings.Fields(string(out)), nil
}

// command runs the suite. When ctx is done, Go prints where every goroutine is.
func (s suite) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.binary, args...)
	if s.alone {
		beAlone(cmd)
	}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// deadline is for one round of all tests; they sleep for 12 s.
const deadline = 2 * time.Minute

// atOnce is how many processes that are alone run at a time. Nearly all they do
// is to wait.
const atOnce = 6

// runSuites runs each suite once.
func runSuites(t *testing.T, suites []suite) []result {
	n := 1
	if suites[0].alone {
		n = atOnce
	}
	slots := make(chan struct{}, n)
	results := make([]result, len(suites))
	var running sync.WaitGroup
	for i, s := range suites {
		slots <- struct{}{}
		running.Go(func() {
			results[i] = s.run(t.Context())
			<-slots
		})
	}
	running.Wait()
	return results
}

func (s suite) run(ctx context.Context) result {
	limit := deadline * time.Duration(*count)
	// The suite's own deadline says more. This one is for when it doesn't work.
	ctx, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	args := []string{"-test.v", fmt.Sprintf("-test.count=%d", *count), "-test.timeout=" + limit.String()}
	if len(cannotPass) > 0 {
		names := slices.Collect(maps.Keys(cannotPass))
		args = append(args, "-test.skip=^("+strings.Join(names, "|")+")$")
	}
	start := time.Now()
	out, err := s.command(ctx, args...).CombinedOutput()
	if err != nil && !s.alone && bytes.Contains(out, []byte("address already in use")) {
		err = fmt.Errorf("%w; a port of the suite may be in use by another program", err)
	}
	return result{err: err, output: string(out), total: time.Since(start), lines: verdictLine.FindAllStringSubmatch(string(out), -1)}
}

// result is what one process did.
type result struct {
	err    error
	output string
	total  time.Duration
	lines  [][]string // of verdictLine
}

type verdict string

const (
	passed  verdict = "passed"
	skipped verdict = "skipped"
	failed  verdict = "failed" // or wasn't seen as often as it should have been
)

var verdictLine = regexp.MustCompile(`(?m)^--- (PASS|SKIP|FAIL): (\S+) \(([0-9.]+s)\)$`)

// verdict sums up all runs of one test in the process.
func (r result) verdict(name string) verdict {
	n := map[string]int{}
	for _, line := range r.lines {
		if line[2] == name {
			n[line[1]]++
		}
	}
	switch *count {
	case n["PASS"]:
		return passed
	case n["SKIP"]:
		return skipped
	}
	return failed
}

// took is how long one test ran, all its runs together.
func (r result) took(name string) (sum time.Duration) {
	for _, line := range r.lines {
		if line[2] == name {
			d, _ := time.ParseDuration(line[3])
			sum += d
		}
	}
	return sum
}
