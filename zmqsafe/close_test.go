package zmqsafe

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// The size that the project promises: 1,000 sockets, 500 of them being received
// from, gone in under 0.5 s, with nothing left. The time is asserted loosely:
// make bench measures it.
func TestCloseManySockets(t *testing.T) {
	const sockets, receivers = 1000, 500
	ctx := newContext(t)
	require.NoError(t, ctx.SetMaxSockets(sockets))
	descriptors := openDescriptors(t)
	errs := make(chan error, receivers)
	for i := range sockets {
		soc := newSocket(t, ctx, PULL)
		require.NoError(t, soc.Bind(fmt.Sprintf("inproc://%s-%d", t.Name(), i)))
		if i < receivers {
			go func() { _, err := soc.Recv(0); errs <- err }()
			waitUntilBlocked(t, soc, POLLIN)
		}
	}
	assert.Len(t, ctx.Sockets(), sockets)
	start := time.Now()
	require.NoError(t, ctx.Close())
	took := time.Since(start)
	for range receivers {
		assert.Equal(t, ETERM, waitFor(t, "Recv", errs))
	}
	t.Logf("closed %d sockets in %v", sockets, took)
	assert.Less(t, took, 5*time.Second)
	assert.Empty(t, ctx.Sockets())
	assert.LessOrEqual(t, openDescriptors(t), descriptors)
}

// A goroutine that waits is a goroutine, not an OS thread.
func TestBlockedReceiversNeedNoThreads(t *testing.T) {
	const receivers = 1000
	ctx := newContext(t)
	var wg sync.WaitGroup
	for range receivers {
		soc := newSocket(t, ctx, PULL)
		wg.Go(func() {
			_, err := soc.Recv(0)
			assert.Equal(t, ETERM, err)
		})
		waitUntilBlocked(t, soc, POLLIN)
	}
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(status), "Threads:")
	require.True(t, found)
	threads, err := strconv.Atoi(strings.Fields(after)[0])
	require.NoError(t, err)
	t.Logf("%d OS threads", threads)
	assert.Less(t, threads, 64)
	require.NoError(t, ctx.Close())
	bounded(t, "receivers", wg.Wait)
}

func TestCloseDeliversWithinLinger(t *testing.T) {
	const messages = 1000
	receiver := newContext(t)
	pull := newSocket(t, receiver, PULL)
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	sender := newContext(t, WithLinger(linger.Default))
	push := newSocket(t, sender, PUSH)
	require.NoError(t, push.Connect(endpoint))
	for i := range messages {
		_, err := push.Send(strconv.Itoa(i), 0)
		require.NoError(t, err)
	}
	require.NoError(t, sender.Close())
	for i := range messages {
		got, err := pull.Recv(0)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(i), got)
	}
}

// The deadline of the close wins over a long linger, and what it may have cost is
// said: of sockets that are open, and of those that were closed right before.
func TestCloseCutsLongLinger(t *testing.T) {
	for _, long := range []time.Duration{-1, time.Hour} {
		for _, closeFirst := range []bool{false, true} {
			var log syncBuffer
			descriptors := openDescriptors(t)
			ctx, err := NewContext(WithLogger(slog.New(slog.NewTextHandler(&log, nil))), WithCloseTimeout(300*time.Millisecond))
			require.NoError(t, err)
			soc := sendToNobody(t, ctx)
			require.NoError(t, soc.SetLinger(long))
			if closeFirst {
				require.NoError(t, soc.Close())
				require.NoError(t, soc.Close(), "again")
				assert.Empty(t, ctx.Sockets())
			}
			start := time.Now()
			err = ctx.Close()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.GreaterOrEqual(t, time.Since(start), 200*time.Millisecond, "it did linger")
			var again error // waits for the end, if Close came to its own before
			bounded(t, "Shutdown", func() { again = ctx.Shutdown(context.Background()) })
			require.ErrorIs(t, again, context.DeadlineExceeded)
			for _, want := range []string{"PUSH", "close_test.go", "tcp://127.0.0.1:", "cut to 2"} {
				assert.ErrorContains(t, err, want)
				assert.ErrorContains(t, again, want)
				assert.Contains(t, log.String(), want)
			}
			assert.LessOrEqual(t, openDescriptors(t), descriptors, "it is really closed")
		}
	}
}

// A long linger that isn't needed costs nothing, and no error.
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

// A Close with a very long linger waits a moment for the context's, no longer.
func TestLongLingerIsPutOffForAMoment(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Forever))
	soc := newSocket(t, ctx, PUSH)
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	endpoint, err := soc.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, soc.Close())
	registered := func() int {
		ctx.c.mu.Lock()
		defer ctx.c.mu.Unlock()
		return len(ctx.c.sockets)
	}
	assert.Equal(t, 1, registered())
	require.Eventually(t, func() bool { return registered() == 0 }, limit, 10*time.Millisecond)
	assert.Zero(t, ctx.c.graces)
	next := newSocket(t, ctx, PUSH)
	require.NoError(t, next.SetLinger(0))
	require.Eventually(t, func() bool { return next.Bind(endpoint) == nil }, limit, time.Millisecond)
	// Not for more than a few, and not where messages would be received unread.
	for range 2 * maxGraces {
		require.NoError(t, newSocket(t, ctx, PUSH).Close())
	}
	assert.LessOrEqual(t, registered(), 1+maxGraces)
	before := registered()
	require.NoError(t, newSocket(t, ctx, DEALER).Close())
	assert.Equal(t, before, registered())
}

// What a bound socket has accepted is delivered too, to a peer that reads slowly:
// unbinding at the end would cut the connections that were accepted.
func TestCloseDeliversFromBoundSocket(t *testing.T) {
	const messages = 200
	for _, closeFirst := range []bool{false, true} {
		receiver := newContext(t)
		sender := newContext(t, WithLinger(linger.Forever))
		push := newSocket(t, sender, PUSH)
		require.NoError(t, push.Bind("tcp://127.0.0.1:*"))
		endpoint, err := push.GetLastEndpoint()
		require.NoError(t, err)
		pull := newSocket(t, receiver, PULL)
		require.NoError(t, pull.SetRcvhwm(1))
		require.NoError(t, pull.Connect(endpoint))
		data := make([]byte, 100_000)
		for range messages {
			_, err := push.SendBytes(data, 0)
			require.NoError(t, err)
		}
		done := make(chan error)
		go func() {
			if closeFirst {
				assert.NoError(t, push.Close())
			}
			done <- sender.Close()
		}()
		bounded(t, "receiving", func() {
			for range messages {
				got, err := pull.RecvBytes(0)
				require.NoError(t, err)
				require.Len(t, got, len(data))
			}
		})
		assert.NoError(t, waitFor(t, "Close", done))
	}
}

// Goroutines that close their socket when they get ETERM don't get round the
// deadline.
func TestCloseByReceiversKeepsDeadline(t *testing.T) {
	for range 10 {
		ctx, err := NewContext(WithLogger(slog.New(slog.DiscardHandler)), WithLinger(linger.MustFor(time.Minute)))
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 5 {
			soc := newSocket(t, ctx, DEALER)
			require.NoError(t, soc.Monitor(fmt.Sprintf("inproc://events-%p", soc), EVENT_ALL))
			require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
			require.NoError(t, soc.Connect("inproc://nobody"))
			_, err := soc.Send("x", 0)
			require.NoError(t, err)
			wg.Go(func() {
				_, err := soc.Recv(0)
				assert.Equal(t, ETERM, err)
				assert.NoError(t, soc.Close())
			})
			waitUntilBlocked(t, soc, POLLIN)
		}
		bound, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		_ = ctx.Shutdown(bound)
		cancel()
		bounded(t, "the rest of the close", func() { _ = ctx.Shutdown(context.Background()) })
		bounded(t, "receivers", wg.Wait)
	}
}

// A linger that zmq_close has taken can't be cut any more: Shutdown returns in
// time and names the socket.
func TestShutdownReportsWhatStillLingers(t *testing.T) {
	var log syncBuffer
	ctx, err := NewContext(WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	require.NoError(t, err)
	soc := sendToNobody(t, ctx)
	require.NoError(t, soc.SetLinger(400*time.Millisecond))
	require.NoError(t, soc.Close())
	bound, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err = ctx.Shutdown(bound)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	for _, want := range []string{"PUSH", "close_test.go", "tcp://127.0.0.1:", "LINGER 400ms"} {
		assert.ErrorContains(t, err, want)
		assert.Contains(t, log.String(), want)
	}
	// It went on in the background; waiting longer is possible.
	bounded(t, "Shutdown", func() { assert.NoError(t, ctx.Shutdown(context.Background())) })
}

// sendToNobody returns a PUSH with one message that can't be delivered.
func sendToNobody(t *testing.T, ctx *Context) *Socket {
	t.Helper()
	soc := newSocket(t, ctx, PUSH)
	require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
	_, err := soc.Send("x", 0)
	require.NoError(t, err)
	return soc
}

func TestShutdownWithDoneContext(t *testing.T) {
	ctx := newContext(t, WithLogger(slog.New(slog.DiscardHandler)))
	newSocket(t, ctx, PULL)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := ctx.Shutdown(done); err != nil {
		assert.ErrorIs(t, err, context.Canceled)
	}
	bounded(t, "Close", func() { assert.NoError(t, ctx.Close()) })
}

func TestCloseFromManyGoroutines(t *testing.T) {
	ctx := newContext(t)
	var sockets [10]*Socket
	for i := range sockets {
		sockets[i] = newSocket(t, ctx, DEALER)
	}
	var wg sync.WaitGroup
	for _, soc := range sockets {
		wg.Go(func() { assert.NoError(t, soc.Close()) })
		wg.Go(func() { assert.NoError(t, soc.Close()) })
		wg.Go(func() { assert.NoError(t, ctx.Close()) })
	}
	bounded(t, "Close", wg.Wait)
}

// No socket is born between the closing of all sockets and zmq_ctx_term, which
// would hang.
func TestNewSocketRacesClose(t *testing.T) {
	for range 30 {
		ctx := newContext(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					soc, err := ctx.NewSocket(PAIR)
					if err != nil {
						assert.Equal(t, ErrorContextClosed, err)
						return
					}
					if err := soc.Bind("inproc://x"); err == nil {
						_, _ = soc.Send("x", DONTWAIT)
					}
					_ = soc.Close()
				}
			})
		}
		time.AfterFunc(time.Millisecond, func() { _ = ctx.Close() })
		bounded(t, "goroutines", wg.Wait)
		bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
	}
}

// zmq_ctx_term makes a socket of its own for each name here, and aborts when it
// can't. The names are connected by a socket that is closed and by one that is
// open, and all the sockets that the context may have are there.
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

func TestSocketLimit(t *testing.T) {
	ctx := newContext(t)
	require.NoError(t, ctx.SetMaxSockets(2))
	first := newSocket(t, ctx, PUSH)
	require.NoError(t, first.Connect("inproc://nobody")) // makes the spare
	newSocket(t, ctx, PUSH)
	_, err := ctx.NewSocket(PUSH)
	assert.Equal(t, Errno(syscall.EMFILE), AsErrno(err))
	assert.ErrorContains(t, err, "2 sockets")
}

func TestSubscriptionsDontDelayClose(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.MustFor(10*time.Second)))
	xsub := newSocket(t, ctx, XSUB)
	require.NoError(t, xsub.Connect("tcp://127.0.0.1:1"))
	_, err := xsub.Send("\x01topic", 0)
	require.NoError(t, err)
	start := time.Now()
	require.NoError(t, ctx.Close())
	assert.Less(t, time.Since(start), 5*time.Second)
}

func TestAfterClose(t *testing.T) {
	ctx := newContext(t)
	kept := newSocket(t, ctx, PAIR)
	soc := newSocket(t, ctx, PAIR)
	require.NoError(t, soc.Close())
	require.NoError(t, soc.Close())
	for name, call := range everyCall(soc) {
		assert.ErrorIs(t, call(), ErrorSocketClosed, name)
	}
	assert.Equal(t, "Socket(CLOSED)", soc.String())
	_, err := soc.Context()
	assert.Equal(t, ErrorSocketClosed, err)

	require.NoError(t, ctx.Close())
	owner, err := kept.Context()
	require.NoError(t, err)
	assert.Same(t, ctx, owner)
	require.NoError(t, ctx.Close())
	for name, call := range everyCall(kept) {
		assert.Equal(t, ETERM, call(), name)
	}
	closed, err := ctx.NewSocket(PUSH)
	assert.Equal(t, ErrorContextClosed, err)
	assert.NotNil(t, closed)
	assert.ErrorIs(t, closed.Bind("inproc://x"), ErrorSocketClosed)
	for name, call := range everyCall(ctx) {
		assert.Equal(t, ErrorContextClosed, call(), name)
	}
}

func TestNilAndZeroReceivers(t *testing.T) {
	var nilSocket *Socket
	for _, soc := range []*Socket{nilSocket, {}} {
		for name, call := range everyCall(soc) {
			assert.ErrorIs(t, call(), ErrorSocketClosed, name)
		}
		_, err := soc.Context()
		assert.ErrorIs(t, err, ErrorSocketClosed)
	}
	assert.ErrorIs(t, nilSocket.Close(), ErrorSocketClosed)
	assert.ErrorContains(t, nilSocket.Close(), "nil *Socket")
	assert.NoError(t, (&Socket{}).Close())
	var nilContext *Context
	for _, ctx := range []*Context{nilContext, {}} {
		for name, call := range everyCall(ctx) {
			assert.ErrorIs(t, call(), ErrorContextClosed, name)
		}
		for _, err := range []error{ctx.Close(), ctx.Term(), ctx.Shutdown(context.Background())} {
			assert.ErrorIs(t, err, ErrorContextClosed)
		}
		assert.Empty(t, ctx.Sockets())
	}
}
