package zmqsafe

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMalformedEndpoints(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	tests := []struct {
		endpoint string
		errno    Errno
		says     string
	}{
		{"", Errno(syscall.EINVAL), "empty endpoint"},
		{"nonsense", Errno(syscall.EINVAL), "transport://address"},
		{"://x", Errno(syscall.EINVAL), "transport://address"},
		{"tcp://", Errno(syscall.EINVAL), "transport://address"},
		{"tcp://127.0.0.1:80\x00", Errno(syscall.EINVAL), "zero byte"},
		{"tcp://127.0.0.1", Errno(syscall.EINVAL), "transport://address"},
		{"tcp://127.0.0.1:notaport", Errno(syscall.EINVAL), "transport://address"},
		{"http://127.0.0.1:80", EPROTONOSUPPORT, "tcp, ipc, inproc"},
		{"pgm://127.0.0.1;239.192.1.1:5555", ENOCOMPATPROTO, "type of socket"},
	}
	for _, tt := range tests {
		for name, call := range map[string]func(string) error{"Bind": soc.Bind, "Connect": soc.Connect} {
			err := call(tt.endpoint)
			if errors.Is(err, EPROTONOSUPPORT) && tt.errno == ENOCOMPATPROTO {
				continue // a libzmq that was built without the transport
			}
			assert.ErrorIs(t, err, tt.errno, "%s(%q)", name, tt.endpoint)
			assert.Equal(t, tt.errno, AsErrno(err))
			assert.ErrorContains(t, err, tt.says)
			assert.ErrorContains(t, err, name)
		}
	}
	assert.Empty(t, ctx.Sockets()[0].Endpoints, "nothing has changed")
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
}

// What the world refuses comes as the plain Errno that raw returns.
func TestBindErrorsOfTheWorld(t *testing.T) {
	ctx := newContext(t)
	first, second := newSocket(t, ctx, PULL), newSocket(t, ctx, PULL)
	require.NoError(t, first.Bind("tcp://127.0.0.1:*"))
	endpoint, err := first.GetLastEndpoint()
	require.NoError(t, err)
	assert.True(t, second.Bind(endpoint) == error(EADDRINUSE))
	require.NoError(t, first.Bind(inproc(t)))
	assert.True(t, second.Bind(inproc(t)) == error(EADDRINUSE))
}

func TestTCPWithoutIoThreads(t *testing.T) {
	ctx := newContext(t)
	require.NoError(t, ctx.SetIoThreads(0))
	soc := newSocket(t, ctx, PULL)
	for _, call := range []func(string) error{soc.Bind, soc.Connect} {
		err := call("tcp://127.0.0.1:5555")
		assert.ErrorIs(t, err, EMTHREAD)
		assert.ErrorContains(t, err, "SetIoThreads(1)")
	}
	require.NoError(t, soc.Bind(inproc(t)))
}

func TestUnbindAndDisconnect(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, push.Disconnect(endpoint))
	assert.Empty(t, ctx.Sockets()[1].Endpoints)
	err = push.Disconnect(endpoint)
	assert.ErrorIs(t, err, Errno(syscall.ENOENT))
	assert.ErrorContains(t, err, "no such endpoint")
	// As given to Bind, with its wild-card: raw wants the resolved name.
	require.NoError(t, pull.Unbind("tcp://127.0.0.1:*"))
	assert.ErrorIs(t, pull.Unbind(endpoint), Errno(syscall.ENOENT))
	require.NoError(t, pull.Bind(inproc(t)))
	require.NoError(t, push.Connect(inproc(t)))
	require.NoError(t, push.Disconnect(inproc(t)))
	require.NoError(t, pull.Unbind(inproc(t)))
	assert.Error(t, pull.Unbind(inproc(t)))
}

// zmq_disconnect would look the name up, here and now, and block.
func TestDisconnectDoesntLookUpNames(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PUSH)
	assert.ErrorIs(t, soc.Disconnect("tcp://host.invalid:5555"), Errno(syscall.ENOENT))
	require.NoError(t, soc.Connect("tcp://localhost:1"))
	require.NoError(t, soc.Disconnect("tcp://localhost:1"))
}

func TestUnknownSocketType(t *testing.T) {
	ctx := newContext(t)
	for _, typ := range []Type{-1, 99} {
		soc, err := ctx.NewSocket(typ)
		assert.ErrorIs(t, err, Errno(syscall.EINVAL))
		assert.ErrorContains(t, err, "ROUTER")
		assert.ErrorIs(t, soc.Bind("inproc://x"), ErrorSocketClosed)
	}
}

func TestSocketsListsWhatIsOpen(t *testing.T) {
	ctx := newContext(t)
	pull := newSocket(t, ctx, PULL)
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	push, err := ctx.NewSocket(PUSH)
	require.NoError(t, err)
	require.NoError(t, push.Connect("inproc://a"))
	sockets := ctx.Sockets()
	require.Len(t, sockets, 2)
	assert.Equal(t, []string{endpoint}, sockets[0].Endpoints)
	assert.Equal(t, PUSH, sockets[1].Type)
	assert.Regexp(t, `^zmqsafe/endpoint_test\.go:\d+$`, sockets[1].Site)
	assert.True(t, strings.HasPrefix(sockets[1].String(), "PUSH socket made at zmqsafe/endpoint_test.go:"))
	require.NoError(t, push.Close())
	assert.Len(t, ctx.Sockets(), 1)
}

// Names that come and go leave nothing behind, in either order.
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

// A name is free as soon as the socket that had it is closed.
func TestInprocNameIsFreeAfterClose(t *testing.T) {
	ctx := newContext(t)
	for range 100 {
		soc := newSocket(t, ctx, PULL)
		require.NoError(t, soc.Bind(inproc(t)))
		require.NoError(t, soc.Close())
	}
}

// What a socket has sent to a name that nobody has bound yet is delivered when
// somebody does, also if the sender is closed by then.
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

// libzmq aborts the process if the pipe of a ROUTER to a pending name has been
// ended when the name is bound.
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
