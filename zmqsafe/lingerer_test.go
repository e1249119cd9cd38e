package zmqsafe

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// The waker knows when libzmq is done with a socket, whatever becomes of the number
// of its descriptor and whoever has duplicates of it.
func TestWakerKnowsWhatLibzmqHolds(t *testing.T) {
	for _, watched := range []bool{false, true} {
		ctx := newContext(t, WithLinger(linger.MustFor(200*time.Millisecond)))
		w := &ctx.c.waker
		soc := sendToNobody(t, ctx)
		if watched { // it is in epoll already
			_, err := newPollerOf(POLLIN, soc).Poll(0)
			require.NoError(t, err)
		}
		id, fd := soc.s.id, rawFd(t, soc)
		dup, err := syscall.Dup(fd)
		require.NoError(t, err)
		defer syscall.Close(dup)
		assert.False(t, w.holds(id, fd), "not followed yet")
		require.NoError(t, soc.Close())
		assert.True(t, w.holds(id, fd))
		require.Len(t, ctx.c.lingering, 1)
		assert.Equal(t, fd, ctx.c.lingering[0].fd)
		require.Eventually(t, func() bool { return !w.holds(id, fd) }, limit, time.Millisecond)
	}
}

// Another socket may have the descriptor's number by then. It isn't taken for the
// one that is gone, and it goes on being watched.
func TestFollowedDescriptorIsReused(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Default))
	w := &ctx.c.waker
	pull := newSocket(t, ctx, PULL)
	require.NoError(t, pull.Bind(inproc(t)))
	for range 100 {
		soc := newSocket(t, ctx, PUSH)
		require.NoError(t, soc.Connect(inproc(t)))
		sendText(t, soc, "x")
		id, fd := soc.s.id, rawFd(t, soc)
		require.NoError(t, soc.Close())
		_, err := pull.Recv(0)
		require.NoError(t, err)
		require.Eventually(t, func() bool { // not holds, which would take note
			_, _ = pull.GetEvents() // an inproc peer has to let go
			_, err := os.Stat(fmt.Sprintf("/proc/self/fd/%d", fd))
			return err != nil
		}, limit, 100*time.Microsecond)

		next, peer := newPair(t, ctx, PAIR, PAIR, fmt.Sprint(inproc(t), id))
		if rawFd(t, next) != fd {
			continue
		}
		done := make(chan error)
		go func() { _, err := next.Recv(0); done <- err }()
		waitUntilBlocked(t, next, POLLIN)
		assert.False(t, w.holds(id, fd))
		sendText(t, peer, "y")
		require.NoError(t, waitFor(t, "Recv", done))
		require.NoError(t, next.Close())
		assert.False(t, w.holds(id, fd))
		return
	}
	t.Skip("not run: no descriptor's number was used again")
}

func rawFd(t *testing.T, soc *Socket) int {
	t.Helper()
	require.NoError(t, soc.s.lock())
	defer soc.s.unlock(0)
	fd, err := soc.s.raw.GetFd()
	require.NoError(t, err)
	return fd
}

// A socket may be held by an inproc peer that hasn't noticed, for as long as that
// does nothing. Its messages are with the peer.
func TestInprocPeerHoldsNoMessages(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.MustFor(10*time.Millisecond)))
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	sendText(t, push, "x")
	id, fd := push.s.id, rawFd(t, push)
	require.NoError(t, push.Close())
	time.Sleep(20 * time.Millisecond)
	assert.True(t, ctx.c.waker.holds(id, fd))
	got, err := pull.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "x", got)
	require.NoError(t, ctx.Close()) // and newContext sees to it that nothing is logged
	assert.Empty(t, ctx.Report().RanOut())
}

// A program that goes on closing sockets has no list that grows.
func TestClosedSocketsAreForgotten(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Default))
	pull := newSocket(t, ctx, PULL)
	require.NoError(t, pull.Bind(inproc(t)))
	for range 1000 {
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect(inproc(t)))
		_, err = soc.Send("x", 0)
		require.NoError(t, err)
		_, err = pull.Recv(0)
		require.NoError(t, err)
		require.NoError(t, soc.Close())
	}
	ctx.c.mu.Lock()
	kept := len(ctx.c.lingering)
	ctx.c.mu.Unlock()
	assert.Less(t, kept, 500)
}

// Where the kernel can't tell (no descriptor, or no room in epoll), a socket may be
// held until its linger is over, and the end of the context decides.
func TestUnknownWhetherHeld(t *testing.T) {
	ctx := newContext(t)
	newSocket(t, ctx, PUSH) // starts the waker
	c := ctx.c
	closed := func(p linger.Policy, ago time.Duration) *lingerer {
		return &lingerer{fd: -1, closed: ClosedSocket{
			SocketInfo: SocketInfo{Accepted: 1, Linger: p}, Lingers: p, Closed: time.Now().Add(-ago),
		}}
	}
	lingers, over, forever := closed(linger.MustFor(time.Hour), 0), closed(linger.Default, 2*time.Second), closed(linger.Forever, 0)
	c.mu.Lock()
	c.lingering = []*lingerer{lingers, over, forever}
	c.mu.Unlock()
	assert.Zero(t, c.observe(false), "no look tells anything")
	assert.Len(t, c.holding(), 2)
	for _, l := range c.lingering {
		assert.Equal(t, Holding, l.closed.Outcome)
	}
	c.observe(true)
	assert.Equal(t, []Outcome{Gone, RanOut, Gone}, []Outcome{lingers.closed.Outcome, over.closed.Outcome, forever.closed.Outcome})
	c.mu.Lock()
	c.dropGoneLocked()
	left := c.lingering
	c.lingering = nil
	c.mu.Unlock()
	assert.Equal(t, []*lingerer{lingers}, left, "the list must not grow for ever")
}
