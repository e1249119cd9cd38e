package zmqsafe

import (
	"math"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

func TestLingerOption(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.MustFor(1500*time.Microsecond)))
	soc := newSocket(t, ctx, PUSH)
	get := func() time.Duration {
		d, err := soc.GetLinger()
		require.NoError(t, err)
		return d
	}
	assert.Equal(t, 2*time.Millisecond, get(), "the context's, rounded up")
	for d, want := range map[time.Duration]time.Duration{
		0: 0, -1: -1, -time.Millisecond: -1, 1: time.Millisecond, time.Second: time.Second,
		math.MaxInt64: math.MaxInt32 * time.Millisecond,
	} {
		require.NoError(t, soc.SetLinger(d))
		assert.Equal(t, want, get(), "%v", d)
	}
	for _, d := range []time.Duration{-2, -time.Second, -time.Hour} {
		err := soc.SetLinger(d)
		assert.ErrorIs(t, err, Errno(syscall.EINVAL))
		assert.ErrorContains(t, err, "-1 (forever)")
	}
	require.NoError(t, soc.SetLinger(0))
}

func TestOptionsOutOfRange(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, DEALER)
	for _, n := range beyondCInt[int]() {
		err := soc.SetRcvhwm(n)
		assert.ErrorIs(t, err, Errno(syscall.EINVAL))
		assert.ErrorContains(t, err, "SetRcvhwm")
	}
	for name, err := range map[string]error{
		"SetSndhwm":          soc.SetSndhwm(-1),
		"SetTcpKeepalive":    soc.SetTcpKeepalive(7),
		"SetRouterMandatory": soc.SetRouterMandatory(1), // not a ROUTER
		"SetSubscribe":       soc.SetSubscribe("x"),     // not a SUB
		"SetIdentity":        soc.SetIdentity(strings.Repeat("x", 256)),
		"SetRcvtimeo":        soc.SetRcvtimeo(-2),
		"SetSndtimeo":        soc.SetSndtimeo(1 << 62),
		"SetReconnectIvl":    soc.SetReconnectIvl(-time.Second),
		"SetCurveServerkey":  soc.SetCurveServerkey("short"),
	} {
		assert.ErrorIs(t, err, Errno(syscall.EINVAL), name)
		assert.ErrorContains(t, err, name)
	}
	n, err := soc.GetSndhwm()
	require.NoError(t, err)
	assert.Equal(t, 1000, n)
}

// collectGarbage returns when all finalizers and cleanups that were due have
// run.
func collectGarbage(t *testing.T) {
	t.Helper()
	for range 3 {
		ran := make(chan struct{})
		marker := new([16]byte)
		runtime.AddCleanup(marker, func(c chan struct{}) { close(c) }, ran)
		marker = nil
		_ = marker
		runtime.GC()
		waitFor(t, "garbage collection", ran)
	}
}
