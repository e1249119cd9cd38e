package zmqsafe

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Names that are bound and connected, in either order, leave nothing behind.
func TestInprocNamesAreForgotten(t *testing.T) {
	ctx := newContext(t)
	pull, push := newSocket(t, ctx, PULL), newSocket(t, ctx, PUSH)
	bind := func() { require.NoError(t, pull.Bind(inproc(t))) }
	connect := func() { require.NoError(t, push.Connect(inproc(t))) }
	for _, steps := range [][2]func(){{bind, connect}, {connect, bind}} {
		steps[0]()
		steps[1]()
		_, err := push.Send("x", 0)
		require.NoError(t, err)
		_, err = pull.Recv(0)
		require.NoError(t, err)
		require.NoError(t, push.Disconnect(inproc(t)))
		require.NoError(t, pull.Unbind(inproc(t)))
		assert.Empty(t, ctx.c.inproc.pending)
		assert.Empty(t, ctx.c.inproc.bound)
	}
}

// A name is free as soon as the socket that bound it is closed.
func TestInprocNameIsFreeAfterClose(t *testing.T) {
	ctx := newContext(t)
	for range 100 {
		soc := newSocket(t, ctx, PULL)
		require.NoError(t, soc.Bind(inproc(t)))
		require.NoError(t, soc.Close())
	}
}

// Messages sent to a name that nobody has bound yet are delivered once it is
// bound, even if the sender is closed by then.
func TestPendingConnectOutlivesClose(t *testing.T) {
	ctx := newContext(t)
	for i := range 200 {
		name := fmt.Sprint("inproc://", i)
		push := newSocket(t, ctx, PUSH)
		require.NoError(t, push.Connect(name))
		_, err := push.Send(name, 0)
		require.NoError(t, err)
		require.NoError(t, push.Close())
		assert.Empty(t, ctx.Sockets())
		pull := newSocket(t, ctx, PULL)
		require.NoError(t, pull.Bind(name))
		bounded(t, "Recv", func() {
			got, err := pull.Recv(0)
			require.NoError(t, err)
			assert.Equal(t, name, got)
		})
		require.NoError(t, pull.Close())
	}
}

// Binding a pending name while its connector is being closed crashes libzmq.
func TestPendingConnectsClosedThenTerminated(t *testing.T) {
	for range 300 {
		ctx := newContext(t)
		var sockets []*Socket
		for range 4 {
			soc := newSocket(t, ctx, PUSH)
			require.NoError(t, soc.Connect(inproc(t)))
			sockets = append(sockets, soc)
		}
		for _, soc := range sockets[1:] {
			require.NoError(t, soc.Close())
		}
		require.NoError(t, sockets[0].Disconnect(inproc(t)))
		require.NoError(t, ctx.Close())
	}
}

// Monitor binds a name, too: it closes a reader that was closed before.
func TestPendingReaderIsClosedByMonitor(t *testing.T) {
	ctx := newContext(t)
	reader := newSocket(t, ctx, PAIR)
	require.NoError(t, reader.Connect(inproc(t)))
	require.NoError(t, reader.Close())
	soc := newSocket(t, ctx, PULL)
	assert.Equal(t, 2, ctx.c.unclosed(), "the reader waits for the name")
	require.NoError(t, soc.Monitor(inproc(t), EVENT_ALL))
	assert.Equal(t, 1, ctx.c.unclosed())
}

// libzmq aborts the process if the pipe of a ROUTER to a pending name has ended
// when the name is bound.
func TestPendingConnectsOfRouters(t *testing.T) {
	for _, typ := range []Type{ROUTER, REP, DEALER} {
		for _, closeFirst := range []bool{false, true} {
			ctx := newContext(t)
			for range 2 {
				soc := newSocket(t, ctx, typ)
				require.NoError(t, soc.Connect("inproc://a"))
				require.NoError(t, soc.Connect("inproc://b"))
				err := soc.Disconnect("inproc://b")
				if typ != DEALER {
					assert.ErrorIs(t, err, ENOTCONN)
					assert.ErrorContains(t, err, "nobody has bound")
				} else {
					assert.NoError(t, err)
				}
				if closeFirst {
					require.NoError(t, soc.Close())
				}
			}
			bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
		}
	}
}

// A socket may be its own peer.
func TestInprocSelfConnect(t *testing.T) {
	for _, connectFirst := range []bool{true, false} {
		ctx := newContext(t)
		require.NoError(t, ctx.SetMaxSockets(2))
		soc, other := newSocket(t, ctx, DEALER), newSocket(t, ctx, DEALER)
		if connectFirst {
			require.NoError(t, soc.Connect(inproc(t)))
			require.NoError(t, soc.Bind(inproc(t)))
		} else {
			require.NoError(t, soc.Bind(inproc(t)))
			require.NoError(t, soc.Connect(inproc(t)))
		}
		require.NoError(t, soc.Disconnect(inproc(t))) // unbinds, as in libzmq
		assert.Empty(t, ctx.c.inproc.bound)
		require.NoError(t, other.Connect(inproc(t)))
		assert.Len(t, ctx.c.inproc.pending, 1)
		require.NoError(t, other.Connect(inproc(t)), "twice")
		require.NoError(t, other.Close())
		registered := func() int {
			ctx.c.mu.Lock()
			defer ctx.c.mu.Unlock()
			return len(ctx.c.sockets) - ctx.c.internals
		}
		assert.Equal(t, 2, registered(), "it waits for the name")
		require.NoError(t, soc.Bind(inproc(t)))
		assert.Equal(t, 1, registered())
		require.NoError(t, ctx.Close())
	}
}

// zmq_ctx_term makes a socket for each name here, and aborts if it can't. A
// closed socket and an open one have connected to the names, and the context is
// at its limit of sockets.
func TestPendingInprocConnectAtSocketLimit(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Default))
	require.NoError(t, ctx.SetMaxSockets(2))
	n, err := ctx.GetMaxSockets()
	require.NoError(t, err)
	require.Equal(t, 2, n)
	for i := range 2 {
		push := newSocket(t, ctx, PUSH)
		for _, name := range []string{"inproc://shared", fmt.Sprint("inproc://own-", i), fmt.Sprint("inproc://other-", i)} {
			require.NoError(t, push.Connect(name))
			_, err := push.Send("x", 0)
			require.NoError(t, err)
		}
		if i == 0 {
			require.NoError(t, push.Close()) // libzmq keeps it until zmq_ctx_term
		}
	}
	_, err = ctx.NewSocket(PUSH)
	require.Equal(t, Errno(syscall.EMFILE), AsErrno(err), "the closed one counts")
	takeAllSocketsBut(t, ctx, 0)
	bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
}
