package zmqsafe

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// A long linger that isn't needed takes no time, and is no error.
func TestLongLingerAndEverythingSent(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Forever))
	pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
	_, err := push.Send("x", 0)
	require.NoError(t, err)
	_, err = pull.Recv(0)
	require.NoError(t, err)
	start := time.Now()
	require.NoError(t, push.Close())
	require.NoError(t, ctx.Close())
	assert.Less(t, time.Since(start), limit/2)
}

// A Close with a very long linger waits a moment for the context's close, no
// longer.
func TestLongLingerIsPutOffForAMoment(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Forever))
	soc := newSocket(t, ctx, PUSH)
	require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
	require.NoError(t, soc.Close())
	registered := func() int {
		ctx.c.mu.Lock()
		defer ctx.c.mu.Unlock()
		return len(ctx.c.sockets)
	}
	assert.Equal(t, 1, registered())
	require.Eventually(t, func() bool { return registered() == 0 }, limit, 10*time.Millisecond)
	assert.Zero(t, ctx.c.deferred)
	// Only a few closes are deferred, and none on a socket that would go on
	// receiving.
	for range 2 * maxDeferred {
		require.NoError(t, newSocket(t, ctx, PUSH).Close())
	}
	assert.LessOrEqual(t, registered(), 1+maxDeferred)
	before := registered()
	require.NoError(t, newSocket(t, ctx, DEALER).Close())
	assert.LessOrEqual(t, registered(), before)
}

// A duplicate of ZMQ_FD keeps the descriptor alive after its socket is closed.
// The waker must forget it anyway.
func TestWakerForgetsClosedSockets(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	fd, err := soc.s.raw.GetFd()
	require.NoError(t, err)
	kept, err := syscall.Dup(fd)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(kept)) }()
	require.NoError(t, soc.SetRcvtimeo(time.Millisecond))
	_, err = soc.Recv(0)
	require.Equal(t, errAgain, err)
	own := soc.s.fd
	epoll := epollOf(t, own)
	require.Positive(t, epoll)
	require.NoError(t, soc.Close())
	watched, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", epoll))
	require.NoError(t, err)
	assert.NotContains(t, string(watched), "tfd:")
}

// A name or port is free after Close as soon as with pebbe/zmq4, however long
// the linger, and though an inproc connect keeps libzmq's socket open.
func TestNamesAndPortsAreFreeAfterClose(t *testing.T) {
	endpoints := []string{inproc(t), "tcp://127.0.0.1:*", "ipc://" + filepath.Join(tempDir(t), "a")}
	for _, typ := range []Type{PUSH, PUB, DEALER, ROUTER, PULL, PAIR} {
		for name, prepare := range map[string]func(t *testing.T, soc *Socket){
			"long LINGER":    func(t *testing.T, soc *Socket) { require.NoError(t, soc.SetLinger(time.Hour)) },
			"LINGER forever": func(t *testing.T, soc *Socket) { require.NoError(t, soc.SetLinger(-1)) },
			"pending":        func(t *testing.T, soc *Socket) { require.NoError(t, soc.Connect("inproc://nobody")) },
			"pending, and sent": func(t *testing.T, soc *Socket) {
				require.NoError(t, soc.SetLinger(time.Hour))
				require.NoError(t, soc.Connect("inproc://nobody"))
				_, err := soc.Send("x", DONTWAIT)
				if typ != PULL && typ != PAIR {
					require.NoError(t, err)
				}
			},
			"pending, and LINGER forever": func(t *testing.T, soc *Socket) {
				require.NoError(t, soc.SetLinger(-1))
				require.NoError(t, soc.Connect("inproc://nobody"))
			},
		} {
			t.Run(fmt.Sprint(typ, " ", name), func(t *testing.T) {
				ctx := newContext(t)
				soc := newSocket(t, ctx, typ)
				var bound []string
				for _, endpoint := range endpoints {
					if typ == PAIR && isInproc(endpoint) {
						continue // it would have two peers
					}
					require.NoError(t, soc.Bind(endpoint))
					last, err := soc.GetLastEndpoint()
					require.NoError(t, err)
					bound = append(bound, last)
				}
				prepare(t, soc)
				require.NoError(t, soc.Close())
				ctx.c.mu.Lock()
				if registered := len(ctx.c.sockets) - ctx.c.internals; name == "long LINGER" || name == "LINGER forever" {
					assert.Zero(t, registered, "zmq_close isn't put off")
				}
				ctx.c.mu.Unlock()
				next := newSocket(t, ctx, typ)
				for _, endpoint := range bound {
					if isInproc(endpoint) {
						require.NoError(t, next.Bind(endpoint), "at once")
						continue
					}
					require.Eventually(t, func() bool { return next.Bind(endpoint) == nil }, limit, time.Millisecond)
				}
			})
		}
	}
}

// A socket that listens gives up its port and yet delivers what is unsent, to a
// reader that is slow.
func TestPortIsFreeAndNothingIsLost(t *testing.T) {
	const messages = 3000
	file := "ipc://" + filepath.Join(tempDir(t), "a")
	for name, c := range map[string]struct {
		transport string
		pending   bool
	}{
		"tcp": {"tcp://127.0.0.1:*", false}, "tcp, pending": {"tcp://127.0.0.1:*", true}, "ipc, pending": {file, true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, peers := newContext(t, WithCloseTimeout(time.Hour)), newContext(t)
			push, pull := newSocket(t, ctx, PUSH), newSocket(t, peers, PULL)
			require.NoError(t, push.SetLinger(-1))
			require.NoError(t, push.SetSndhwm(0))
			if strings.HasPrefix(c.transport, "tcp") {
				require.NoError(t, pull.SetRcvhwm(1)) // with ipc it would lose what it hasn't read when its peer goes
			} else {
				require.NoError(t, pull.SetRcvhwm(0))
			}
			require.NoError(t, push.Bind(c.transport))
			last, err := push.GetLastEndpoint()
			require.NoError(t, err)
			require.NoError(t, pull.Connect(last))
			body := make([]byte, 5_000) // more than the kernel takes
			for range messages {
				_, err := push.SendBytes(body, 0)
				require.NoError(t, err)
			}
			if c.pending {
				require.NoError(t, push.Connect(inproc(t)))
			}
			done := make(chan error, 1)
			go func() { done <- push.Close() }()
			bounded(t, "Recv", func() {
				for range messages {
					_, err := pull.RecvBytes(0)
					require.NoError(t, err)
				}
			})
			require.NoError(t, waitFor(t, "Close", done))
			next := newSocket(t, ctx, PUSH)
			require.Eventually(t, func() bool { return next.Bind(last) == nil }, limit, time.Millisecond)
			require.NoError(t, ctx.Close())
		})
	}
}

// The report says what libzmq got as the LINGER of a socket that listens.
func TestLingerOfAListenerIsBounded(t *testing.T) {
	ctx := newPlain(t, WithCloseTimeout(300*time.Millisecond), WithCloseWait(false))
	push, pull := newSocket(t, ctx, PUSH), newSocket(t, newContext(t), PULL)
	require.NoError(t, push.SetLinger(-1))
	require.NoError(t, push.SetSndhwm(0))
	require.NoError(t, pull.SetRcvhwm(1))
	require.NoError(t, push.Bind("tcp://127.0.0.1:*"))
	last, err := push.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, pull.Connect(last))
	for range 100 {
		_, err := push.SendBytes(make([]byte, 100_000), 0)
		require.NoError(t, err)
	}
	require.NoError(t, push.Close())
	bounded(t, "Close", func() { require.NoError(t, ctx.Shutdown(context.Background()), "it cut nothing itself") })
	require.Len(t, ctx.Report().RanOut(), 1, "%v", ctx.Report())
	s := ctx.Report().RanOut()[0]
	assert.Equal(t, linger.Forever, s.Linger)
	assert.False(t, outlasts(s.EffectiveLinger, 290*time.Millisecond), "%v", s.EffectiveLinger)
	assert.Contains(t, s.String(), "LINGER forever cut to 2")
}

// What was sent to a pending name outlives the port that the socket had bound.
func TestPendingMessageOutlivesThePort(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.MustFor(limit)))
	push, next, pull := newSocket(t, ctx, PUSH), newSocket(t, ctx, PUSH), newSocket(t, ctx, PULL)
	require.NoError(t, push.Bind("tcp://127.0.0.1:*"))
	endpoint, err := push.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, push.Connect(inproc(t)))
	sendText(t, push, "x")
	require.NoError(t, push.Close())
	require.Eventually(t, func() bool { return next.Bind(endpoint) == nil }, limit, time.Millisecond)
	require.NoError(t, pull.Bind(inproc(t)))
	bounded(t, "Recv", func() {
		got, err := pull.Recv(0)
		require.NoError(t, err)
		assert.Equal(t, "x", got)
	})
}
