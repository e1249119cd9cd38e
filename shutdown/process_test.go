//go:build unix

package shutdown

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheFirstSignalIsACleanStop(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			c := start(t, "waits", "ready")
			c.signal(t, sig)
			assert.Equal(t, []string{"closed"}, c.end(t, 0))
			assert.Empty(t, c.stderr.String())
		})
	}
}

func TestTheSecondSignalEndsAtOnce(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(second.String(), func(t *testing.T) {
			c := start(t, "step hangs", "ready")
			c.signal(t, syscall.SIGTERM)
			c.expect(t, "hangs")
			began := time.Now()
			c.signal(t, second)
			c.end(t, 128+int(second))
			assert.Less(t, time.Since(began), DefaultTimeout/4)
			assert.Contains(t, c.stderr.String(), `steps="[hangs zmq]"`)
		})
	}
}

// As GNU timeout sends it.
func TestASignalToProcessAndGroupIsOne(t *testing.T) {
	for range 5 {
		c := start(t, "waits", "ready")
		c.signal(t, syscall.SIGTERM)
		c.signal(t, syscall.SIGTERM)
		c.signal(t, syscall.SIGCONT)
		c.end(t, 0)
	}
}

func TestExitStatusOfPrograms(t *testing.T) {
	tests := []struct {
		program string
		status  int
		out     []string
		stderr  string
	}{
		{"batch", 0, []string{"ready", "closed"}, ""},
		{"worker fails", 1, []string{"ready", "closed"}, `shutdown: worker "feed": boom` + "\n"},
		{"worker panics", 2, []string{"ready", "closed"}, `shutdown: worker "feed": panic: boom [`},
		{"setup fails", 1, []string{"closed"}, "shutdown: setup: no such host\n"},
		{"setup panics", 2, []string{"closed"}, "shutdown: setup: panic: boom ["},
		{"nil setup", 1, []string{""}, "shutdown: Main: the setup function is nil\n"},
		{"step overruns", 124, []string{"ready", "closed"}, `shutdown: step "hangs": not done after`},
		{"worker overruns", 124, nil, `shutdown: worker "deaf": still running`},

		{"exit in a worker", 7, nil, ""},
		{"exit in a worker of a plain main", 7, []string{"closed"}, ""},
		{"exit in a step", 7, []string{"ready", "closed"}, ""},
		{"exit in setup", 7, []string{"closed"}, ""},
		{"exit in main", 7, []string{"closed"}, ""},
		{"exit in init", 7, []string{"closed"}, ""},
		{"exit without a group", 7, []string{""}, ""},
		{"exit 0, and a close fails", 1, []string{"closed"}, `shutdown: step "db": disk full` + "\n"},
		{"exit 7, and a close fails", 7, []string{"closed"}, `shutdown: step "db": disk full` + "\n"},
		{"exit 0, then 3", 3, []string{"closed"}, ""},
		{"exit 256", 1, []string{""}, ""},
		{"exit, and a signal when one of two groups is done", 7, []string{"closed"}, ""},
		{"exit by several", 7, nil, ""},
		{"exit with groups inside", 7, nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.program, func(t *testing.T) {
			t.Parallel()
			c := start(t, tt.program)
			out := c.end(t, tt.status)
			if tt.out != nil {
				assert.Equal(t, tt.out, out)
			}
			if tt.stderr == "" {
				assert.Empty(t, c.stderr.String())
			}
			assert.Contains(t, c.stderr.String(), tt.stderr)
		})
	}
}

// The program mustn't end before the goroutine of the last step has had its turn.
func TestTheLastStepIsCalledHoweverBusyTheProgramIs(t *testing.T) {
	for range 20 { // what runs right before the end of a process may still not be seen
		if slices.Contains(start(t, "workers burn").end(t, StatusDeadline), "closed") {
			return
		}
	}
	t.Error("it wasn't called in any run")
}

func TestNobodyReadsStandardError(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithTimeout(bg, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"=much to say", "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = w
	require.Error(t, cmd.Run())
	assert.Equal(t, StatusError, cmd.ProcessState.ExitCode())
}

func TestExitRaces(t *testing.T) {
	runs := 10
	if testing.Short() {
		runs = 2
	}
	for range runs {
		start(t, "exit races").end(t, 7)
	}
}

func TestASignalInSetup(t *testing.T) {
	c := start(t, "setup obeys", "ready")
	c.signal(t, syscall.SIGTERM)
	assert.Equal(t, []string{"closed"}, c.end(t, 0))
}

func TestASetupThatHangsIsForced(t *testing.T) {
	c := start(t, "setup hangs", "ready")
	c.signal(t, syscall.SIGTERM)
	time.Sleep(burst)
	c.signal(t, syscall.SIGTERM)
	c.end(t, 128+15)
}

func TestSignalsOfSetup(t *testing.T) {
	c := start(t, "SIGQUIT only", "waiting")
	c.signal(t, syscall.SIGQUIT)
	assert.Equal(t, []string{"closed"}, c.end(t, 0))

	c = start(t, "SIGQUIT only", "waiting")
	c.signal(t, syscall.SIGTERM)
	c.end(t, -1)
	assert.Equal(t, syscall.SIGTERM, c.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}

func TestAnIgnoredSignalStaysIgnored(t *testing.T) {
	c := start(t, "ignores SIGINT", "waiting")
	c.signal(t, syscall.SIGINT)
	c.signal(t, syscall.SIGTERM)
	assert.Equal(t, []string{"shutdown: received signal: terminated"}, c.end(t, 0))
}

func TestASetupThatHangsIsLeftBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s, the default Timeout")
	}
	t.Parallel()
	c := start(t, "setup overruns", "ready", "closed")
	c.end(t, StatusDeadline)
	assert.Contains(t, c.stderr.String(), "shutdown: still waiting for setup")
	assert.Contains(t, c.stderr.String(), "shutdown.init.") // where it is: the function in programs
	assert.NotContains(t, c.stderr.String(), "(*Group)")
	assert.Contains(t, c.stderr.String(), "shutdown: setup: still running 8")
}

func TestRunGivesTheSignalsBack(t *testing.T) {
	c := start(t, "gives signals back", "waiting")
	c.signal(t, syscall.SIGTERM)
	c.expect(t, "back")
	c.signal(t, syscall.SIGTERM)
	c.end(t, -1)
	assert.Equal(t, syscall.SIGTERM, c.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
}
