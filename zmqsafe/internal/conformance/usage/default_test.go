package usage_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	zmq4 "github.com/zmqsafe/zmq-exit/zmqsafe"
)

const (
	// childVariable names the test for which this process was started.
	childVariable = "ZMQSAFE_USAGE_CHILD"
	// execVariable has a command to start such processes with, as -exec of go
	// test.
	execVariable = "ZMQSAFE_USAGE_EXEC"
)

// ownDefault runs a test that closes the default context, which can be done
// only once, in a process of its own.
func ownDefault(t *testing.T, f func()) {
	t.Helper()
	if os.Getenv(childVariable) == t.Name() {
		f()
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	args := append(strings.Fields(os.Getenv(execVariable)), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child := exec.CommandContext(ctx, args[0], args[1:]...)
	child.Env = append(os.Environ(), childVariable+"="+t.Name(), "GORACE=atexit_sleep_ms=0") // it would sleep a second
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// The default context and nothing else.
func TestUsageDefaultContext(t *testing.T) {
	ownDefault(t, func() {
		server, err := zmq4.NewSocket(zmq4.REP)
		require.NoError(t, err)
		require.NoError(t, server.Bind("inproc://default"))
		wait := start(t, func() {
			defer server.Close()
			for {
				request, err := server.RecvMessage(0)
				if err != nil {
					assert.Equal(t, zmq4.ETERM, zmq4.AsErrno(err))
					return
				}
				_, err = server.SendMessage(request)
				assert.NoError(t, err)
			}
		})
		client, err := zmq4.NewSocket(zmq4.REQ)
		require.NoError(t, err)
		require.NoError(t, client.Connect("inproc://default"))
		_, err = client.SendMessage("a", "b")
		require.NoError(t, err)
		reply, err := client.RecvMessage(0)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b"}, reply)
		require.NoError(t, client.Close())
		start(t, func() { assert.NoError(t, zmq4.Term()) })()
		wait()
		_, err = zmq4.NewSocket(zmq4.REP)
		assert.Error(t, err)
	})
}
