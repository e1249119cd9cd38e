package zmqsafe

import (
	"math"
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

func TestDefaultLinger(t *testing.T) {
	lingerOf := func(ctx *Context, typ Type) time.Duration {
		d, err := newSocket(t, ctx, typ).GetLinger()
		require.NoError(t, err)
		return d
	}
	ctx := newContext(t, WithLinger(linger.Default))
	assert.Equal(t, time.Second, lingerOf(ctx, PUB))
	assert.Equal(t, time.Duration(0), lingerOf(ctx, XSUB))
	require.NoError(t, ctx.SetBlocky(false))
	assert.Equal(t, time.Duration(0), lingerOf(ctx, PUB))

	t.Setenv(LingerVariable, "250ms")
	ctx, err := NewContext()
	require.NoError(t, err)
	assert.Equal(t, 250*time.Millisecond, lingerOf(ctx, PUB))
	require.NoError(t, ctx.Close())
	assert.Equal(t, time.Millisecond, lingerOf(newContext(t, WithLinger(linger.MustFor(1))), PUB), "an option wins")

	t.Setenv(LingerVariable, "soon")
	_, err = NewContext()
	assert.ErrorContains(t, err, LingerVariable)
	assert.ErrorContains(t, err, "forever")
}

func TestContextOptions(t *testing.T) {
	for name, option := range map[string]Option{
		"close timeout": WithCloseTimeout(0), "negative": WithCloseTimeout(-1), "logger": WithLogger(nil),
	} {
		_, err := NewContext(option)
		assert.ErrorIs(t, err, Errno(syscall.EINVAL), name)
	}
	ctx := newContext(t)
	tests := []struct {
		name string
		set  func(int) error
		get  func() (int, error)
		good int
		bad  []int
	}{
		{"SetIoThreads", ctx.SetIoThreads, ctx.GetIoThreads, 2, []int{-1, 1 << 40}},
		{"SetMaxSockets", ctx.SetMaxSockets, ctx.GetMaxSockets, 77, []int{-1, 0, math.MaxInt32, 1 << 40}},
		{"SetMaxMsgsz", ctx.SetMaxMsgsz, ctx.GetMaxMsgsz, 1000, []int{-1, 1 << 40}},
	}
	for _, tt := range tests {
		require.NoError(t, tt.set(tt.good), tt.name)
		for _, bad := range tt.bad {
			err := tt.set(bad)
			assert.ErrorIs(t, err, Errno(syscall.EINVAL), "%s(%d)", tt.name, bad)
			assert.ErrorContains(t, err, tt.name)
		}
		n, err := tt.get()
		require.NoError(t, err)
		assert.Equal(t, tt.good, n, tt.name)
	}
	require.NoError(t, ctx.SetIpv6(true))
	on, err := ctx.GetIpv6()
	require.NoError(t, err)
	assert.True(t, on)
	blocky, err := ctx.GetBlocky()
	require.NoError(t, err)
	assert.True(t, blocky)
}

func TestOptionsOutOfRange(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, DEALER)
	for name, err := range map[string]error{
		"SetSndhwm":          soc.SetSndhwm(-1),
		"SetRcvhwm":          soc.SetRcvhwm(1 << 40),
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
