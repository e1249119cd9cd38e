package zmqsafe

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// What runs out while the context is open is warned about there and then, once
// for each line, and is in the report of the close, merged: a program that goes
// on for years has a short list.
func TestLingerRunsOutWhileTheContextIsOpen(t *testing.T) {
	const sockets = 20
	var log syncBuffer
	forgetWarnings()
	ctx := newLogged(t, &log, WithLinger(linger.MustFor(20*time.Millisecond)), WithCloseWait(false))
	c := ctx.c
	endpoint := deadPort(t)
	for range sockets {
		for _, typ := range []Type{PUSH, DEALER} { // made at the same line
			soc, err := ctx.NewSocket(typ)
			require.NoError(t, err)
			require.NoError(t, soc.Connect(endpoint))
			sendText(t, soc, "x")
			sendText(t, soc, "y")
			require.NoError(t, soc.Close())
		}
	}
	watched := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.watch.running || len(c.lingering) > 0
	}
	require.Eventually(t, func() bool { return !watched() }, limit, time.Millisecond, "the watch ends by itself")
	line := log.line(t, lingerRanOut)
	assert.Contains(t, line["made_at"], "lingering_watch_test.go:")
	assert.Contains(t, line["socket"], endpoint)
	log.reset()

	live := newSocket(t, newContext(t), PULL)
	require.NoError(t, live.Bind(endpoint))
	push := newSocket(t, ctx, PUSH)
	require.NoError(t, push.SetLinger(limit))
	require.NoError(t, push.Connect(endpoint))
	sendText(t, push, "z")
	require.NoError(t, push.Close())
	require.Eventually(t, func() bool { return !watched() }, limit, time.Millisecond)
	open := ctx.Report()
	require.NoError(t, ctx.Close(), "it lost nothing itself")
	assert.Empty(t, log.lines(t), "nor is anything left to warn of")

	r := ctx.Report()
	require.Len(t, r.Sockets, 2, "%v", r)
	assert.Equal(t, r.Sockets, open.Sockets)
	var types []Type
	for _, s := range r.RanOut() {
		types = append(types, s.Type)
		assert.Equal(t, sockets, s.Merged)
		assert.EqualValues(t, 2*sockets, s.Accepted)
		text, err := json.Marshal(s)
		require.NoError(t, err)
		assert.Contains(t, string(text), `"merged":20`)
		assert.Contains(t, s.String(), ", and 19 more made there")
	}
	assert.ElementsMatch(t, []Type{PUSH, DEALER}, types)
	assert.Contains(t, r.String(), "LINGER ran out for 40 sockets")
	assert.Contains(t, r.String(), " (20 sockets) ")
}

// What ended before the close began doesn't count as lost by it, though nobody
// has looked before.
func TestLingerRanOutJustBeforeTheClose(t *testing.T) {
	var log syncBuffer
	forgetWarnings()
	ctx := newLogged(t, &log, WithLinger(linger.MustFor(20*time.Millisecond)), WithCloseWait(false))
	soc, err := ctx.NewSocket(PUSH)
	require.NoError(t, err)
	require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
	sendText(t, soc, "x")
	id, fd := soc.s.id, rawFd(t, soc)
	c := ctx.c
	c.mu.Lock() // no look
	done := make(chan error, 2)
	go func() { done <- soc.Close() }()
	c.mu.Unlock()
	require.NoError(t, waitFor(t, "Close", done))
	c.mu.Lock()
	for c.waker.Holds(id, fd) {
		time.Sleep(time.Millisecond)
	}
	go func() { done <- ctx.Close() }()
	c.mu.Unlock()
	require.NoError(t, waitFor(t, "Close of the context", done))
	require.Len(t, ctx.Report().RanOut(), 1)
	assert.Empty(t, ctx.Report().ranOutAtEnd())
	line := log.line(t, lingerRanOut)
	assert.Equal(t, soc.s.made.String(), line["made_at"])
	log.reset()
}

// The linger of a socket that listens is cut to the close timeout, and that is
// not the fault of a later deadline.
func TestLingerCutByTheCloseTimeout(t *testing.T) {
	r := Report{Began: time.Now()}
	s := ClosedSocket{SocketInfo: SocketInfo{Linger: linger.Forever}, EffectiveLinger: linger.Default}
	s.Closed = r.Began.Add(-time.Second)
	assert.False(t, r.atDeadline(s))
	s.Closed = r.Began.Add(time.Microsecond)
	assert.True(t, r.atDeadline(s))
	s.EffectiveLinger = s.Linger
	assert.False(t, r.atDeadline(s))
}
