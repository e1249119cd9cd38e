package zmqsafe

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDefaultOptionsAgreeWithRaw compares the values with pebbe/zmq4's.
func TestDefaultOptions(t *testing.T) {
	newDefault(t)
	assert.True(t, GetRetryAfterEINTR())
	SetRetryAfterEINTR(false)
	assert.False(t, GetRetryAfterEINTR())
	require.NoError(t, SetMaxSockets(1))
	require.NoError(t, SetIpv6(true))
	soc, err := NewSocket(PAIR)
	require.NoError(t, err)
	on, err := soc.GetIpv6()
	require.NoError(t, err)
	assert.True(t, on)
	_, err = NewSocket(PAIR)
	assert.ErrorContains(t, err, "its limit of 1 open sockets (SetMaxSockets)")
	require.NoError(t, soc.Close())

	require.NoError(t, Term())
	assert.Equal(t, ErrorContextClosed, SetIpv6(false))
	_, err = GetIpv6()
	assert.Equal(t, ErrorContextClosed, err)
	assert.False(t, GetRetryAfterEINTR(), "it is only remembered")
	SetRetryAfterEINTR(true)
	assert.True(t, GetRetryAfterEINTR())
}

func TestDefaultOptionsWithoutDefaultContext(t *testing.T) {
	t.Setenv(LingerVariable, "soon")
	old := defaultContext
	defer func() { defaultContext = old }()
	defaultContext = new(defaultState)
	for _, set := range []func(int) error{SetIoThreads, SetMaxSockets, SetMaxMsgsz, SetThreadPriority, SetThreadSchedPolicy} {
		assert.ErrorContains(t, set(1), LingerVariable)
	}
	SetRetryAfterEINTR(true)
	assert.False(t, GetRetryAfterEINTR())
}
