package zmqsafe

import (
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A Poller that is made for one round and dropped leaves nothing at its
// sockets.
func TestDroppedPollerLeavesNothing(t *testing.T) {
	ctx := newContext(t)
	idle := newSocket(t, ctx, PULL)
	for range 1000 {
		_, err := newPollerOf(POLLIN, idle).Poll(time.Microsecond)
		require.NoError(t, err)
	}
	eventuallyCollected(t, func() bool { return !idle.s.Watched() })
}

// Sockets that are added and removed again are not kept, even if nobody polls.
func TestRemovedSocketsAreNotKept(t *testing.T) {
	ctx := newContext(t)
	var p Poller
	for _, between := range map[string]func(){
		"nothing": func() {},
		"Poll":    func() { _, _ = p.Poll(0) },
		"failing Poll": func() {
			p.Add(nil, POLLIN)
			_, err := p.Poll(0)
			require.ErrorIs(t, err, ErrorSocketClosed)
			require.NoError(t, p.RemoveBySocket(nil))
		},
	} {
		var states []weak.Pointer[socketState]
		for i := range 10 {
			soc, err := ctx.NewSocket(PUB)
			require.NoError(t, err)
			states = append(states, weak.Make(soc.s))
			p.Add(soc, POLLIN|POLLOUT)
			between()
			_, err = p.Update(0, POLLIN)
			require.NoError(t, err)
			between()
			if i%2 == 0 {
				require.NoError(t, soc.Close())
			}
			require.NoError(t, p.RemoveBySocket(soc))
			require.NoError(t, soc.Close())
		}
		require.Zero(t, p.queue().Len())
		require.Empty(t, p.list.contexts)
		eventuallyCollected(t, func() bool {
			for _, s := range states {
				if s.Value() != nil {
					return false
				}
			}
			return true
		})
	}
	assert.Equal(t, "Poller[]", p.String()) // keeps the Poller alive until here
}

// A Poll allocates only its result, and nothing if that is empty.
func TestPollAllocations(t *testing.T) {
	ctx := newContext(t)
	ready, idle := newSocket(t, ctx, PUB), newSocket(t, ctx, PULL)
	poll := func(p *Poller, timeout time.Duration, want int) {
		if polled, err := p.Poll(timeout); err != nil || len(polled) != want {
			t.Error(polled, err)
		}
	}
	allocations := func(f func()) int { return int(testing.AllocsPerRun(100, f)) }
	both := newPollerOf(POLLIN|POLLOUT, ready, idle)
	assert.LessOrEqual(t, allocations(func() { poll(both, -1, 1) }), 1)
	assert.LessOrEqual(t, allocations(func() { poll(both, time.Second, 1) }), 1)
	neither := newPollerOf(POLLIN, ready, idle)
	assert.Zero(t, allocations(func() { poll(neither, 0, 0) }))

	// Two goroutines wait for each other.
	a, b := newPair(t, ctx, PAIR, PAIR, inproc(t))
	trip := func(soc *Socket, p *Poller) {
		poll(p, limit, 1)
		if _, err := soc.Recv(DONTWAIT); err != nil {
			t.Error(err)
		}
		if _, err := soc.Send("", 0); err != nil {
			t.Error(err)
		}
	}
	const runs = 100
	go func() {
		p := newPollerOf(POLLIN, b)
		for range runs + 1 {
			trip(b, p)
		}
	}()
	p := newPollerOf(POLLIN, a)
	sendText(t, a, "")
	// With the race detector the pool drops about every fourth timer, and a
	// timer is three allocations.
	assert.LessOrEqual(t, testing.AllocsPerRun(runs, func() { trip(a, p) }), 2+2*1.0)
}
