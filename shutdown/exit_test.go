package shutdown

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExitStatus(t *testing.T) {
	boom := errors.New("boom")
	worker := func(err error) error { return &Error{kindWorker, "w", err} }
	step := func(err error) error { return &Error{kindStep, "s", err} }
	overrun := &overrunError{"still running", nil}
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"an error", boom, 1},
		{"of a worker", worker(boom), 1},
		{"a worker's own deadline", worker(context.DeadlineExceeded), 1},
		{"setup's own deadline", &Error{kindSetup, "setup", context.DeadlineExceeded}, 1},
		{"a deadline of nothing in particular", context.DeadlineExceeded, 1},
		{"a step's deadline", step(context.DeadlineExceeded), 124},
		{"a step's deadline, wrapped", step(fmt.Errorf("zmq: %w", errors.Join(boom, context.DeadlineExceeded))), 124},
		{"a server's deadline", worker(&closingError{context.DeadlineExceeded}), 124},
		{"a worker overran", worker(overrun), 124},
		{"a panic", worker(&PanicError{Value: 1}), 2},
		{"an error before the deadline", errors.Join(worker(boom), step(context.DeadlineExceeded)), 124},
		{"the deadline before an error", errors.Join(step(context.DeadlineExceeded), worker(boom)), 124},
		{"all", errors.Join(worker(boom), step(context.DeadlineExceeded), step(&PanicError{Value: 1})), 2},
		{"a worker that overran and panicked", worker(&overrunError{"late", &PanicError{Value: 1}}), 2},
		{"a worker's deadline in a group that is a step", step(errors.Join(worker(context.DeadlineExceeded))), 1},
		{"a step's deadline in a group that is a worker", worker(errors.Join(step(context.DeadlineExceeded))), 124},
		{"wrapped by the program", fmt.Errorf("serve: %w", worker(&PanicError{Value: 1})), 2},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, ExitStatus(tt.err), tt.name)
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

// A goroutine that ends without Exit hasn't done its work, also while another
// has called Exit.
func TestGoexitWhileExitRuns(t *testing.T) {
	c := start(t, "exit 0, and others end by Goexit")
	c.end(t, StatusError)
	for _, name := range []string{`setup`, `worker "worker"`, `worker "serve"`, `worker "server": Shutdown`, `step "deep"`, `step "step"`} {
		assert.Contains(t, c.stderr.String(), "shutdown: "+name+": ended by runtime.Goexit\n")
	}
	c = start(t, "exit 0 by all")
	c.end(t, StatusOK)
	assert.Empty(t, c.stderr.String())
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
