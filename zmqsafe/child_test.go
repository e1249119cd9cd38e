package zmqsafe

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

const childVariable = "ZMQSAFE_TEST_CHILD"

// inChild runs f in a process of its own: one that may die, or whose state f
// spoils. What fails there fails the test.
func inChild(t *testing.T, f func()) {
	t.Helper()
	if isChild(t) {
		f()
		return
	}
	out, err := runChild(t)
	require.NoError(t, err, "%s", out)
}

// isChild reports whether this is a process that runChild of the test has started.
func isChild(t *testing.T) bool { return os.Getenv(childVariable) == t.Name() }

// runChild runs the test once more in a process of its own.
func runChild(t *testing.T, environment ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), childVariable+"="+t.Name(), "GORACE=atexit_sleep_ms=0") // it would sleep a second
	child.Env = append(child.Env, environment...)
	out, err := child.CombinedOutput()
	return string(out), err
}
