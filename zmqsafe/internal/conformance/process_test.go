package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	rawPath     = "github.com/pebbe/zmq4"
	zmqsafePath = "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// suite is a compiled test suite.
type suite struct {
	binary string
	alone  bool // has a network and a /tmp of its own
}

// buildSuites compiles raw's tests twice: as they are, and with the import path
// replaced.
func buildSuites(t *testing.T) (onRaw, onZmqsafe suite) {
	t.Helper()
	onRaw.binary = filepath.Join(t.TempDir(), "raw.test")
	goCommand(t, "test", "-c", raceFlag, "-o", onRaw.binary, rawPath)
	raw := strings.TrimSpace(goCommand(t, "list", "-m", "-f", "{{.Dir}}", rawPath))
	onZmqsafe = buildFrom(t, readTests(t, filepath.Join(raw, "*_test.go"), rawPath, zmqsafePath))
	onRaw.alone = canBeAlone(t, onRaw)
	onZmqsafe.alone = onRaw.alone
	return onRaw, onZmqsafe
}

// readTests reads the files that match the pattern and replaces an import path.
func readTests(t *testing.T, pattern, path, newPath string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names)
	files := make(map[string][]byte)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		files[filepath.Base(name)] = bytes.ReplaceAll(text, []byte(`"`+path+`"`), []byte(`"`+newPath+`"`))
	}
	return files
}

// buildFrom compiles tests as a package of this module that exists only in an
// overlay. So it has the module's requirements, and needs no network.
func buildFrom(t *testing.T, files map[string][]byte) suite {
	t.Helper()
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for name, text := range files {
		copied := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(copied, text, 0o600))
		overlay.Replace[filepath.Join("suite", name)] = copied
	}
	text, err := json.Marshal(overlay)
	require.NoError(t, err)
	overlayFile, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "suite.test")
	require.NoError(t, os.WriteFile(overlayFile, text, 0o600))
	// Without go vet, which looks for the folder itself, overlay or not.
	goCommand(t, "test", "-c", raceFlag, "-vet=off", "-overlay", overlayFile, "-o", binary, "./suite")
	return suite{binary: binary}
}

// canBeAlone tries to have s list its tests alone.
func canBeAlone(t *testing.T, s suite) bool {
	s.alone = true
	_, err := s.list(t.Context())
	if err != nil {
		t.Logf("the suite shares its ports and /tmp with all else on this system: %v", err)
	}
	return err == nil
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

// runSuites runs each suite once; several at a time if they are alone.
func runSuites(t *testing.T, suites []suite) []result {
	n := 1
	if suites[0].alone {
		n = runtime.NumCPU()
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

// run runs all tests of the suite, each of them *count times.
func (s suite) run(ctx context.Context) result {
	return s.runWith(ctx, deadline*time.Duration(*count), fmt.Sprintf("-test.count=%d", *count))
}

func (s suite) runWith(ctx context.Context, limit time.Duration, args ...string) result {
	// The suite's own deadline says more. This one is for when it doesn't work.
	ctx, cancel := context.WithTimeout(ctx, limit+10*time.Second)
	defer cancel()
	args = append(args, "-test.v", "-test.timeout="+limit.String())
	start := time.Now()
	var out strings.Builder
	cmd := s.command(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	err := startUrgent(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil && !s.alone && strings.Contains(out.String(), "address already in use") {
		err = fmt.Errorf("%w; a port of the suite may be in use by another program", err)
	}
	return result{err: err, output: out.String(), total: time.Since(start), lines: verdictLine.FindAllStringSubmatch(out.String(), -1)}
}

// startUrgent starts cmd with a higher priority if that is allowed. Raw's
// tests give a message 0.1 s to arrive over tcp. On a machine that is busy with
// other tests that isn't enough, whatever they run on.
func startUrgent(cmd *exec.Cmd) error {
	runtime.LockOSThread() // a priority is that of a thread, and what it starts inherits it
	defer runtime.UnlockOSThread()
	if syscall.Setpriority(syscall.PRIO_PROCESS, 0, -15) == nil {
		defer syscall.Setpriority(syscall.PRIO_PROCESS, 0, 0)
	}
	return cmd.Start()
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
