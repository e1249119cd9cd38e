package zmqsafetest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestIgnoreCurrent(t *testing.T) {
	ctx := newContext(t)
	old, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	current := IgnoreCurrent()
	assert.NoError(t, findAtOnce(t, current))

	soc, err := ctx.NewSocket(zmqsafe.PUSH)
	require.NoError(t, err)
	err = findAtOnce(t, current)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "1 socket in 1 context")
	assert.Contains(t, err.Error(), "PUSH socket made at ")
	assert.NotContains(t, err.Error(), "PULL")
	assert.Contains(t, err.Error(), "defer soc.Close()")
	assert.NotContains(t, err.Error(), "defer ctx.Close()")

	assert.NoError(t, findAtOnce(t, current, IgnoreCurrent()), "options add up")
	require.NoError(t, soc.Close())
	assert.NoError(t, findAtOnce(t, current))
	newContext(t)
	assert.ErrorContains(t, findAtOnce(t, current), "0 sockets in 1 context")
	require.NoError(t, old.Close())
}
