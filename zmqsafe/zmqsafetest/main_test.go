package zmqsafetest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := Find(); code == 0 && err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}

// limit is how long a step of these tests may take before the test fails.
const limit = time.Minute

// fakeTB records what a test would print. Its cleanups run with cleanUp.
type fakeTB struct {
	testing.TB
	errors   []string
	out      strings.Builder
	cleanups []func()
}

func (f *fakeTB) Helper()                           {}
func (f *fakeTB) Error(args ...any)                 { f.errors = append(f.errors, fmt.Sprint(args...)) }
func (f *fakeTB) Errorf(format string, args ...any) { f.Error(fmt.Sprintf(format, args...)) }
func (f *fakeTB) Fatal(args ...any)                 { f.Error(args...); runtime.Goexit() }
func (f *fakeTB) Output() io.Writer                 { return &f.out }
func (f *fakeTB) Cleanup(c func())                  { f.cleanups = append(f.cleanups, c) }

func (f *fakeTB) cleanUp() {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
}

// findAtOnce is Find on a fake clock, on which patience is over at once.
func findAtOnce(t *testing.T, options ...Option) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err = Find(options...); err != nil {
			assert.Equal(t, patience, time.Since(began))
		}
	})
	return err
}

// newContext makes a context without NewContext.
func newContext(t *testing.T) *zmqsafe.Context {
	t.Helper()
	ctx, err := zmqsafe.NewContextWith(zmqsafe.WithLinger(linger.Drop), zmqsafe.WithCallerSkip(1))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, ctx.Close()) })
	return ctx
}

// here is the line that calls it, as zmqsafe names it.
func here() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("zmqsafetest/%s:%d", filepath.Base(file), line)
}

// inChild runs f in a process of its own, and returns its output and exit code.
func inChild(t *testing.T, f func()) (out string, code int) {
	t.Helper()
	const variable = "ZMQSAFETEST_CHILD"
	if os.Getenv(variable) == t.Name() {
		f()
		os.Exit(0)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$")
	child.Env = append(os.Environ(), variable+"="+t.Name(), "GORACE=atexit_sleep_ms=0") // it would sleep a second
	output, err := child.CombinedOutput()
	require.NoError(t, ctx.Err(), "%s", output)
	if err != nil {
		require.ErrorAs(t, err, new(*exec.ExitError))
	}
	return string(output), child.ProcessState.ExitCode()
}
