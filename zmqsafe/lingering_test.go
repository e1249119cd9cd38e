package zmqsafe

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// If nothing is lost, nothing is reported as lost, whatever libzmq is still
// busy with when the lingers end. newContext makes sure that nothing is logged.
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
			keys := newKeyPair(t)
			pull, push := newSocket(t, ctx, PULL), newSocket(t, ctx, PUSH)
			require.NoError(t, pull.ServerAuthCurve("global", keys.secret))
			require.NoError(t, push.ClientAuthCurve(keys.public, keys.public, keys.secret))
			require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
			endpoint, err := pull.GetLastEndpoint()
			require.NoError(t, err)
			require.NoError(t, push.Connect(endpoint))
			sendText(t, push, "x")
			_, err = pull.Recv(0)
			require.NoError(t, err)
		},
	} {
		long := limit
		if strings.Contains(name, "says nothing") { // to a handshake: that lingers all the time
			long = 200 * time.Millisecond
		}
		for _, p := range []linger.Policy{linger.MustFor(long), linger.Drop} {
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

// A deadline that has passed cuts every linger to nothing. That costs messages
// only if there were any, and Shutdown reports only once what it left.
func TestDeadlineThatHasPassed(t *testing.T) {
	for _, send := range []bool{false, true} {
		var log syncBuffer
		ctx, err := NewContextWith(WithLogger(log.logger()))
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
			log.line(t, "zmqsafe: context not closed in time")
		}
	}
}

// A socket whose messages are gone in a moment is seen to be gone while closing
// other sockets takes long, and its linger begins with its own zmq_close.
func TestLingersAreFollowedWhileOthersAreClosed(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.MustFor(limit)))
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
	isClosed := func() bool {
		answer := make(chan bool)
		go func() { // who has names must not lock soc, see internal/lockorder
			closed := soc.s.Err() != nil
			soc.s.Retire(func() bool { closed = false; return false })
			answer <- closed
		}()
		return <-answer
	}
	require.Eventually(t, func() bool { return ctx.c.current() == closing }, limit, time.Millisecond)
	before := time.Now()
	for !isClosed() {
		names.Unlock()
		names.Lock()
	}
	require.Eventually(t, func() bool {
		ctx.c.mu.Lock()
		defer ctx.c.mu.Unlock()
		return !ctx.c.lingering[0].closed.Released.IsZero()
	}, limit, time.Millisecond)
	names.Unlock()
	require.NoError(t, waitFor(t, "Close", done))
	assert.Empty(t, ctx.Report().RanOut())
	assert.True(t, ctx.Report().Sockets[0].Closed.After(before))
}

// The waker knows when libzmq is done with a socket, even if the number of its
// descriptor is used again or somebody has a duplicate.
func TestWakerKnowsWhatLibzmqHolds(t *testing.T) {
	for _, watched := range []bool{false, true} {
		ctx, endpoint := newPlain(t, WithLinger(linger.MustFor(limit)), WithCloseTimeout(2*limit), WithCloseWait(false)), deadPort(t)
		w := &ctx.c.waker
		soc := sendTo(t, ctx, endpoint)
		if watched { // it is in epoll already
			_, err := newPollerOf(POLLIN, soc).Poll(0)
			require.NoError(t, err)
		}
		id, fd := soc.s.id, rawFd(t, soc)
		dup, err := syscall.Dup(fd)
		require.NoError(t, err)
		defer syscall.Close(dup)
		assert.False(t, w.Holds(id, fd), "not followed yet")
		require.NoError(t, soc.Close())
		assert.True(t, w.Holds(id, fd))
		ctx.c.mu.Lock()
		require.Len(t, ctx.c.lingering, 1)
		assert.Equal(t, fd, ctx.c.lingering[0].fd)
		ctx.c.mu.Unlock()
		arrive(t, PULL, endpoint, 1)
		require.Eventually(t, func() bool { return !w.Holds(id, fd) }, limit, time.Millisecond)
		require.NoError(t, ctx.Close())
	}
}

// Another socket may get the same descriptor number. The waker doesn't take it
// for the one that is gone, and goes on watching it.
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
		assert.False(t, w.Holds(id, fd))
		sendText(t, peer, "y")
		require.NoError(t, waitFor(t, "Recv", done))
		require.NoError(t, next.Close())
		assert.False(t, w.Holds(id, fd))
		return
	}
	t.Skip("not run: no descriptor's number was used again")
}

func rawFd(t *testing.T, soc *Socket) int {
	t.Helper()
	require.NoError(t, soc.s.Lock())
	defer soc.s.Unlock(0)
	fd, err := soc.s.raw.GetFd()
	require.NoError(t, err)
	return fd
}

// An inproc peer may hold a socket for as long as it does nothing, since it
// hasn't noticed the close. It already has the messages.
func TestInprocPeerHoldsNoMessages(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.MustFor(10*time.Millisecond)))
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	sendText(t, push, "x")
	id, fd := push.s.id, rawFd(t, push)
	require.NoError(t, push.Close())
	time.Sleep(20 * time.Millisecond)
	assert.True(t, ctx.c.waker.Holds(id, fd))
	got, err := pull.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "x", got)
	require.NoError(t, ctx.Close()) // and newContext makes sure that nothing is logged
	assert.Empty(t, ctx.Report().RanOut())
}

// A program that goes on closing sockets has no list that grows.
func TestClosedSocketsAreForgotten(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Default))
	pull := newSocket(t, ctx, PULL)
	require.NoError(t, pull.Bind(inproc(t)))
	next := func() (kept int) {
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect(inproc(t)))
		_, err = soc.Send("x", 0)
		require.NoError(t, err)
		_, err = pull.Recv(0)
		require.NoError(t, err)
		require.NoError(t, soc.Close())
		ctx.c.mu.Lock()
		defer ctx.c.mu.Unlock()
		return len(ctx.c.lingering)
	}
	for range 1000 {
		next()
	}
	bounded(t, "libzmq", func() { // which may be slow to let go of them
		for next() >= 500 {
		}
	})
}

// If the kernel can't tell (no descriptor, or no room in epoll), libzmq may
// hold a socket until its linger ends, and the end of the context decides.
func TestUnknownWhetherHeld(t *testing.T) {
	ctx := newContext(t)
	newSocket(t, ctx, PUSH) // starts the waker
	c := ctx.c
	closed := func(p linger.Policy, ago time.Duration) *lingeringSocket {
		return &lingeringSocket{fd: -1, closed: ClosedSocket{
			SocketInfo: SocketInfo{Accepted: 1, Linger: p}, EffectiveLinger: p, Closed: time.Now().Add(-ago),
		}}
	}
	lingers, over, forever := closed(linger.MustFor(time.Hour), 0), closed(linger.Default, 2*time.Second), closed(linger.Forever, 0)
	all := []*lingeringSocket{lingers, over, forever}
	setState := func(s state) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.state, c.lingering = s, slices.Clone(all)
	}
	setState(closing)
	assert.Zero(t, c.observe(false), "looking tells nothing")
	assert.Len(t, c.holding(), 2)
	for _, l := range all {
		assert.Equal(t, Holding, l.closed.Outcome)
	}
	setState(open)
	assert.Zero(t, c.observe(false))
	assert.Equal(t, RanOut, over.closed.Outcome, "while the context is open nobody can tell later")
	c.mu.Lock()
	c.dropGoneLocked()
	left, ranOut := c.lingering, c.ranOut
	c.ranOut = ranOutEarly{}
	c.mu.Unlock()
	assert.Equal(t, []*lingeringSocket{lingers}, left, "the list must not grow forever")
	require.Len(t, ranOut.merged, 1)
	assert.Equal(t, over.closed.Accepted, ranOut.merged[0].closed.Accepted)
	over.closed.Released, over.closed.Outcome = time.Time{}, Holding
	setState(closing)
	c.observe(true)
	assert.Equal(t, []Outcome{Gone, RanOut, Gone}, []Outcome{lingers.closed.Outcome, over.closed.Outcome, forever.closed.Outcome})
	all = nil
	setState(open)
}

func TestHostNamesThatAreLookedUp(t *testing.T) {
	for endpoint, want := range map[string]string{
		"tcp://metrics.example:5555":             "metrics.example",
		"tcp://192.0.2.1:0;metrics.example:5555": "metrics.example",
		"tcp://localhost:1":                      "localhost",
		"tcp://192.0.2.1:1":                      "",
		"tcp://[2001:db8::1]:1":                  "",
		"tcp://[fe80::1%eth0]:1":                 "",
		"tcp://*:1":                              "",
		"ipc:///run/metrics.example:1":           "",
		"inproc://a:1":                           "",
	} {
		assert.Equal(t, want, SocketInfo{Endpoints: []string{"inproc://x", endpoint}}.lookedUp(), endpoint)
	}
}

// A socket that the program closed and that may hold up the end is in the
// report, even if only a look-up does.
func TestClosedSocketThatLooksUpIsFollowed(t *testing.T) {
	ctx := newContext(t)
	ctx.c.pruneAt = 64 // libzmq may let go at once
	for endpoint, want := range map[string]int{"tcp://localhost:1": 1, "tcp://127.0.0.1:1": 0, "inproc://localhost:1": 0} {
		soc := newSocket(t, ctx, PUSH)
		require.NoError(t, soc.Connect(endpoint))
		require.NoError(t, soc.Close())
		ctx.c.mu.Lock()
		assert.Len(t, ctx.c.lingering, want, endpoint)
		ctx.c.lingering = nil
		ctx.c.mu.Unlock()
	}
}

// promised has a deadline, and isn't done by it.
type promised struct {
	context.Context
	deadline time.Time
}

func (p promised) Deadline() (time.Time, bool) { return p.deadline, true }

// What holds up a close is logged while it does.
func TestSlowCloseIsReportedWhileItLasts(t *testing.T) {
	logged := make(chan slog.Record, 10)
	ctx, err := NewContextWith(WithLogger(slog.New(recordHandler{logged})), WithCloseWait(false))
	require.NoError(t, err)
	arrives := lingering(t, ctx) // beyond the reach of the deadline now
	done := make(chan error, 1)
	bound, cancel := context.WithCancel(t.Context()) // not by a clock: the warning comes first, however late
	go func() { done <- ctx.Shutdown(promised{bound, time.Now().Add(400 * time.Millisecond)}) }()
	record := waitFor(t, "the warning", logged)
	assert.Empty(t, done)
	cancel()
	assert.Equal(t, slog.LevelWarn, record.Level)
	assert.Equal(t, stillOpen, record.Message)
	attrs := make(map[string]string)
	record.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value.String(); return true })
	for _, want := range []string{"DEALER socket made at zmqsafe/main_test.go:", "tcp://127.", "LINGER 1m0s"} {
		assert.Contains(t, attrs["lingering"], want)
	}
	assert.Contains(t, attrs["made_at"], "lingering_test.go:")
	assert.Equal(t, "zmq_ctx_term", attrs["step"])
	assert.Contains(t, attrs, "report")
	require.ErrorIs(t, waitFor(t, "Shutdown", done), context.Canceled)
	r := ctx.Report()
	assert.False(t, r.Done)
	require.Len(t, r.Holding(), 1)
	assert.Equal(t, DEALER, r.Holding()[0].Type)
	assert.Contains(t, r.String(), "being closed for")
	assert.Contains(t, r.String(), "libzmq still has 1 socket")
	contexts := Contexts()
	require.NotEmpty(t, contexts)
	assert.Len(t, contexts[len(contexts)-1].Report.Holding(), 1)
	arrives()
	bounded(t, "the rest", func() { require.NoError(t, ctx.Shutdown(context.Background())) })
	assert.Empty(t, ctx.Report().RanOut())
	assert.True(t, ctx.Report().Done)
}

// Looks are rare in the middle of a linger and frequent at its end.
func TestNextLook(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct{ every, left, want time.Duration }{
		{2 * ms, -1, 2 * ms},
		{100 * ms, -1, 100 * ms},
		{100 * ms, time.Hour, 100 * ms},
		{100 * ms, 200 * ms, 100 * ms},
		{100 * ms, 60 * ms, 30 * ms},
		{2 * ms, 60 * ms, 2 * ms},
		{100 * ms, ms, ms},
		{100 * ms, 0, ms},
	} {
		assert.Equal(t, c.want, nextLook(c.every, c.left), "%+v", c)
	}
}

func TestSlowAfter(t *testing.T) {
	began := time.Now()
	for has, want := range map[time.Duration]time.Duration{
		-time.Hour: 0, 0: 0, 99 * time.Millisecond: 0,
		100 * time.Millisecond: 50 * time.Millisecond, time.Second: time.Second / 2, 5 * time.Second: slowClose, time.Hour: slowClose,
	} {
		after, ever := slowAfter(began, began.Add(has))
		assert.Equal(t, want > 0, ever, "%v", has)
		if ever {
			assert.Equal(t, want, after, "%v", has)
		}
	}
	after, ever := slowAfter(began, time.Time{})
	assert.True(t, ever)
	assert.Equal(t, slowClose, after)
}

// A slow close without a deadline is logged as well, once. The line names the
// socket that holds it, not the one that is gone.
func TestSlowCloseWithoutDeadline(t *testing.T) {
	t.Parallel()
	var log syncBuffer
	ctx, err := NewContextWith(WithLogger(log.logger()), WithLinger(linger.MustFor(2*slowClose)))
	require.NoError(t, err)
	require.NoError(t, newSocket(t, ctx, DEALER).Connect("tcp://127.0.0.1:1"))
	push := sendToNobody(t, ctx)
	bounded(t, "Shutdown", func() { require.NoError(t, ctx.Shutdown(context.Background())) })
	slow, ranOut := log.line(t, stillOpen), log.line(t, lingerRanOut)
	assert.Equal(t, []map[string]any{slow, ranOut}, log.lines(t), "in that order")
	assert.GreaterOrEqual(t, slow["took"], float64(slowClose))
	for key, line := range map[string]map[string]any{"lingering": slow, "ran_out": ranOut} {
		assert.Regexp(t, "^PUSH socket made at "+push.s.made.String(), line[key])
		assert.Equal(t, ctx.Report().Site, line["made_at"])
		assert.NotContains(t, fmt.Sprint(line), "DEALER")
	}
}

// What is said of a close that only a look-up holds up. That takes a resolver
// that doesn't answer, which the demo's hazard slow-dns has.
func TestBlockers(t *testing.T) {
	closed := func(endpoint string, p linger.Policy) ClosedSocket {
		return ClosedSocket{
			SocketInfo:      SocketInfo{Type: PUSH, Site: "x.go:1", Endpoints: []string{endpoint}, Linger: p},
			EffectiveLinger: p, Closed: time.Now(),
		}
	}
	named := closed("tcp://metrics.example:1", linger.Drop)
	const late = "PUSH socket made at x.go:1 (tcp://metrics.example:1), LINGER drop"
	b := Report{}.blockers([]ClosedSocket{named})
	assert.Equal(t, "held by libzmq although LINGER has ended: "+late+"; it may be looking up the host name metrics.example", b.String())
	assert.Equal(t, []any{"made_at", "", "took", time.Duration(0), "late", late, "host", "metrics.example"}, b.attrs())

	const lingering = "PUSH socket made at x.go:1 (tcp://192.0.2.1:1), LINGER forever"
	b = Report{}.blockers([]ClosedSocket{closed("tcp://192.0.2.1:1", linger.Forever), named})
	assert.Contains(t, b.String(), "closed and lingering until all is sent: "+lingering+"; held by libzmq")
	assert.Subset(t, b.attrs(), []any{"lingering", lingering, "late", late})

	const floored = "PUSH socket made at x.go:1 (tcp://192.0.2.1:1), LINGER drop"
	parts := closed("tcp://192.0.2.1:1", linger.Drop)
	parts.floored = true
	b = Report{}.blockers([]ClosedSocket{parts})
	assert.Equal(t, "closed and lingering for 100ms, the least for a socket that sends messages in parts: "+floored, b.String())
	assert.Subset(t, b.attrs(), []any{"lingering", floored})

	b = Report{Unclosed: 7, Steps: []Step{{Name: "wake"}, {Name: "zmq_close"}}}.blockers([]ClosedSocket{named})
	assert.Equal(t, "7 sockets still open", b.String())
	assert.Equal(t, []any{"made_at", "", "took", time.Duration(0), "step", "zmq_close", "unclosed", 7}, b.attrs())
}

// Messages are said to be lost only if there were any.
func TestLeft(t *testing.T) {
	socket := func(accepted uint64, p linger.Policy, endpoint string) ClosedSocket {
		return ClosedSocket{
			SocketInfo:      SocketInfo{Type: PUSH, Site: "x.go:1", Accepted: accepted, Linger: p, Endpoints: []string{endpoint}},
			EffectiveLinger: linger.Drop, Closed: time.Now(),
		}
	}
	const lost = "unsent messages may be lost"
	left := func(r Report, held ...ClosedSocket) string {
		what, mayLose := r.left(held)
		assert.Equal(t, strings.Contains(what, lost), mayLose)
		return what
	}
	full := socket(1, linger.Default, "tcp://192.0.2.1:1")
	assert.Regexp(t, "^"+lost+": held by libzmq although LINGER has ended: PUSH", left(Report{}, full))
	for _, s := range []ClosedSocket{
		socket(0, linger.Default, "tcp://192.0.2.1:1"), socket(1, linger.Drop, "tcp://192.0.2.1:1"), socket(1, linger.Default, "inproc://x"),
	} {
		assert.Regexp(t, "^held by libzmq although LINGER has ended: PUSH", left(Report{}, s))
	}
	full.Outcome, full.Released = RanOut, time.Now()
	ranOut := Report{Sockets: []ClosedSocket{full}}
	assert.Regexp(t, "^zmq_ctx_term has not returned; "+lost+": PUSH", left(ranOut))
	assert.Regexp(t, "^held by libzmq .*; "+lost+": PUSH", left(ranOut, socket(0, linger.Default, "tcp://192.0.2.1:1")))
	assert.Equal(t, "zmq_ctx_term has not returned", left(Report{}))
	assert.Equal(t, "7 sockets still open", left(Report{Unclosed: 7}))
	ranOut.Began = time.Now()
	assert.Equal(t, "zmq_ctx_term has not returned", left(ranOut), "the linger ended before the close began")
}
