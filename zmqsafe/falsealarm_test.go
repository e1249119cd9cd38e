package zmqsafe

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Where nothing is lost nothing is said to be, whatever libzmq is still busy with
// when the lingers end. newContext sees to it that nothing is logged.
func TestNothingLostIsNoAlarm(t *testing.T) {
	for name, use := range map[string]func(t *testing.T, ctx *Context){
		"never connected": func(t *testing.T, ctx *Context) {
			for _, typ := range []Type{REQ, REP, DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR, STREAM} {
				newSocket(t, ctx, typ)
			}
		},
		"connected to nobody": func(t *testing.T, ctx *Context) {
			for _, typ := range []Type{REQ, REP, DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR} {
				require.NoError(t, newSocket(t, ctx, typ).Connect("tcp://127.0.0.1:1"))
				require.NoError(t, newSocket(t, ctx, typ).Connect("ipc://"+filepath.Join(tempDir(t), "nobody")))
				require.NoError(t, newSocket(t, ctx, typ).Connect("tcp://localhost:1"))
			}
		},
		"connected to who says nothing": func(t *testing.T, ctx *Context) {
			for _, typ := range []Type{REQ, REP, DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR} {
				require.NoError(t, newSocket(t, ctx, typ).Connect(silentListener(t)))
			}
		},
		"bound, and a client that says nothing": func(t *testing.T, ctx *Context) {
			for _, typ := range []Type{REP, ROUTER, PUB, PUSH, PULL} {
				soc := newSocket(t, ctx, typ)
				require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
				endpoint, err := soc.GetLastEndpoint()
				require.NoError(t, err)
				conn, err := net.Dial("tcp", endpoint[len("tcp://"):])
				require.NoError(t, err)
				t.Cleanup(func() { _ = conn.Close() })
				greeting := make([]byte, 10)
				_, err = conn.Read(greeting)
				require.NoError(t, err)
			}
		},
		"subscription that nobody takes": func(t *testing.T, ctx *Context) {
			soc := newSocket(t, ctx, SUB)
			require.NoError(t, soc.SetSubscribe("a"))
			require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
			soc = newSocket(t, ctx, SUB)
			require.NoError(t, soc.Connect(silentListener(t)))
			require.NoError(t, soc.SetSubscribe("b"))
		},
		"published to nobody": func(t *testing.T, ctx *Context) {
			bound, connected := newSocket(t, ctx, PUB), newSocket(t, ctx, PUB)
			require.NoError(t, bound.Bind("tcp://127.0.0.1:*"))
			require.NoError(t, connected.Connect("tcp://127.0.0.1:1"))
			for range 1000 {
				sendText(t, bound, "x")
				sendText(t, connected, "x")
			}
		},
		"delivered": func(t *testing.T, ctx *Context) {
			for _, transport := range []string{"tcp://127.0.0.1:*", "ipc://" + filepath.Join(tempDir(t), "peer"), inproc(t)} {
				for _, types := range [][2]Type{{PULL, PUSH}, {REP, REQ}, {DEALER, DEALER}, {PAIR, PAIR}, {ROUTER, REQ}} {
					end := transport
					if isInproc(end) || end[0] == 'i' {
						end += types[0].String() + types[1].String()
					}
					to, from := newPair(t, ctx, types[0], types[1], end)
					sendText(t, from, "x")
					_, err := to.RecvMessage(0)
					require.NoError(t, err)
				}
			}
		},
		"asked and answered": func(t *testing.T, ctx *Context) {
			for range 3 {
				rep, req := newPair(t, ctx, REP, REQ, "tcp://127.0.0.1:*")
				sendText(t, req, "?")
				_, err := rep.Recv(0)
				require.NoError(t, err)
				sendText(t, rep, "!")
				_, err = req.Recv(0)
				require.NoError(t, err)
				require.NoError(t, req.Close())
			}
		},
		"delivered to a peer that went": func(t *testing.T, ctx *Context) {
			peers := newContext(t)
			for range 3 {
				pull, push := newSocket(t, peers, PULL), newSocket(t, ctx, PUSH)
				require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
				endpoint, err := pull.GetLastEndpoint()
				require.NoError(t, err)
				require.NoError(t, push.Connect(endpoint))
				sendText(t, push, "x")
				_, err = pull.Recv(0)
				require.NoError(t, err)
			}
			require.NoError(t, peers.Close())
		},
		"monitored": func(t *testing.T, ctx *Context) {
			pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
			require.NoError(t, push.Monitor("inproc://events", EVENT_ALL))
			sendText(t, push, "x")
			_, err := pull.Recv(0)
			require.NoError(t, err)
		},
		"encrypted": func(t *testing.T, ctx *Context) {
			public, secret, err := NewCurveKeypair()
			require.NoError(t, err)
			pull, push := newSocket(t, ctx, PULL), newSocket(t, ctx, PUSH)
			require.NoError(t, pull.ServerAuthCurve("global", secret))
			require.NoError(t, push.ClientAuthCurve(public, public, secret))
			require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
			endpoint, err := pull.GetLastEndpoint()
			require.NoError(t, err)
			require.NoError(t, push.Connect(endpoint))
			sendText(t, push, "x")
			_, err = pull.Recv(0)
			require.NoError(t, err)
		},
	} {
		for _, p := range []linger.Policy{linger.MustFor(200 * time.Millisecond), linger.Drop} {
			t.Run(name+"/"+p.String(), func(t *testing.T) {
				t.Parallel()
				ctx := newContext(t, WithLinger(p))
				use(t, ctx)
				require.NoError(t, ctx.Close())
				assert.Empty(t, ctx.Report().RanOut())
			})
		}
	}
}

// silentListener returns where connections are accepted, and no more.
func silentListener(t *testing.T) (endpoint string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return "tcp://" + l.Addr().String()
}

// tempDir is t.TempDir, but short enough for ipc.
func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "zmqsafe")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// A deadline that has passed cuts every linger to nothing. That costs messages only
// where there were any, and Shutdown says what it left once.
func TestDeadlineThatHasPassed(t *testing.T) {
	for _, send := range []bool{false, true} {
		var log syncBuffer
		ctx, err := NewContext(WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		require.NoError(t, err)
		idle := newSocket(t, ctx, DEALER)
		require.NoError(t, idle.Connect("tcp://127.0.0.1:1"))
		if send {
			sendToNobody(t, ctx)
		}
		bound, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
		first := ctx.Shutdown(bound)
		cancel()
		var last error
		bounded(t, "Shutdown", func() { last = ctx.Shutdown(context.Background()) })
		assert.NotContains(t, log.String(), "still isn't closed")
		if send {
			require.ErrorIs(t, last, context.DeadlineExceeded)
			require.Len(t, ctx.Report().RanOut(), 1)
			assert.Equal(t, PUSH, ctx.Report().RanOut()[0].Type)
			continue
		}
		require.NoError(t, last)
		assert.Empty(t, ctx.Report().RanOut())
		assert.NotContains(t, log.String(), "may be lost")
		if first != nil { // it may have been done first
			require.ErrorIs(t, first, context.DeadlineExceeded)
			assert.Contains(t, log.String(), "not closed in time")
		}
	}
}

// A socket whose messages are gone in a moment isn't noticed too late where closing
// others takes long, before it or after it.
func TestLingersAreFollowedWhileOthersAreClosed(t *testing.T) {
	const lingers = 300 * time.Millisecond // a busy machine may not look for some of that
	ctx := newContext(t, WithLinger(linger.MustFor(lingers)))
	pull := newSocket(t, newContext(t), PULL)
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	oldest := newSocket(t, ctx, PAIR) // closed last
	require.NoError(t, oldest.Bind(inproc(t)))
	soc := newSocket(t, ctx, PUSH)
	require.NoError(t, soc.Connect(endpoint))
	sendText(t, soc, "x")
	names := &ctx.c.inproc.mu // needed before the first is closed, and to close oldest, but not soc
	names.Lock()
	done := make(chan error)
	go func() { done <- ctx.Close() }()
	time.Sleep(lingers + 100*time.Millisecond)
	isClosed := func() bool {
		soc.s.mu.Lock()
		defer soc.s.mu.Unlock()
		return soc.s.state == closed
	}
	for !isClosed() {
		names.Unlock()
		names.Lock()
	}
	time.Sleep(lingers + 100*time.Millisecond)
	names.Unlock()
	require.NoError(t, waitFor(t, "Close", done))
	assert.Empty(t, ctx.Report().RanOut())
}
