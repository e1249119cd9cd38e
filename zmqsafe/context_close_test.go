package zmqsafe

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// The size that the project promises: 1,000 sockets, 500 of them being received
// from, gone in under 0.5 s, with nothing left. make bench measures the time.
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
	bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
	for range receivers {
		assert.Equal(t, ETERM, waitFor(t, "Recv", errs))
	}
	t.Logf("closed %d sockets in %v", sockets, ctx.Report().Took)
	assert.Empty(t, ctx.Sockets())
	assert.LessOrEqual(t, openDescriptors(t), descriptors)
}

func TestCloseDeliversWithinLinger(t *testing.T) {
	const messages = 1000
	receiver := newContext(t)
	pull := newSocket(t, receiver, PULL)
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	sender := newContext(t, WithLinger(linger.MustFor(limit)))
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

// Messages of what the tests find in the log.
const (
	closedAtDeadline = "zmqsafe: context closed at its deadline; unsent messages may be lost"
	lingerRanOut     = "zmqsafe: LINGER ran out; unsent messages may be lost"
	stillOpen        = "zmqsafe: context still isn't closed"
	socketLeaked     = "zmqsafe: socket was leaked without Close; closing it"
)

// The deadline of the close wins over a long linger, and the error and the log
// name the sockets whose messages that may have cost: sockets that were open,
// and those that were closed right before.
func TestCloseCutsLongLinger(t *testing.T) {
	for _, long := range []time.Duration{-1, time.Hour} {
		for _, closeFirst := range []bool{false, true} {
			var log syncBuffer
			descriptors := openDescriptors(t)
			ctx, err := NewContextWith(WithLogger(log.logger()), WithCloseTimeout(300*time.Millisecond))
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
			var again error // waits for the end, if Close reached its deadline before
			bounded(t, "Shutdown", func() { again = ctx.Shutdown(context.Background()) })
			require.ErrorIs(t, again, context.DeadlineExceeded)
			for _, err := range []error{err, again} {
				assert.ErrorContains(t, err, "context made at zmqsafe/context_close_test.go:")
			}
			line := log.line(t, closedAtDeadline)
			assert.Contains(t, line["made_at"], "zmqsafe/context_close_test.go:")
			for _, want := range []string{"PUSH socket made at zmqsafe/main_test.go:", "tcp://127.0.0.1:", "cut to "} {
				assert.ErrorContains(t, err, want)
				assert.ErrorContains(t, again, want)
				assert.Contains(t, line["ran_out"], want)
			}
			assert.LessOrEqual(t, openDescriptors(t), descriptors, "it is really closed")
		}
	}
}

// What a bound socket has accepted is delivered even to a peer that reads
// slowly: unbinding at the end would cut the accepted connections.
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

// Goroutines that close their socket when they get ETERM don't evade the
// deadline.
func TestCloseByReceiversKeepsDeadline(t *testing.T) {
	for range 10 {
		ctx, err := NewContextWith(WithLogger(slog.New(slog.DiscardHandler)), WithLinger(linger.MustFor(time.Minute)))
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
		bound, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
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
	ctx, err := NewContextWith(WithLogger(log.logger()), WithCloseWait(false))
	require.NoError(t, err)
	arrives := lingering(t, ctx)
	bound, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err = ctx.Shutdown(bound)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	line := log.line(t, "zmqsafe: context not closed in time; unsent messages may be lost")
	for _, want := range []string{"DEALER socket made at zmqsafe/main_test.go:", "tcp://127.", "LINGER 1m0s"} {
		assert.ErrorContains(t, err, want)
		assert.Contains(t, line["lingering"], want)
	}
	assert.ErrorContains(t, err, "context made at zmqsafe/context_close_test.go:")
	assert.Contains(t, line["made_at"], "zmqsafe/context_close_test.go:")
	assert.Equal(t, context.DeadlineExceeded.Error(), line["err"])
	assert.GreaterOrEqual(t, line["took"], float64(50*time.Millisecond))
	assert.Equal(t, "zmq_ctx_term", line["step"])
	// It went on in the background; waiting longer is possible.
	arrives()
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

// lingering closes a socket with a message, which lingers for limit. The
// message can be delivered only when the peer arrives.
func lingering(t *testing.T, ctx *Context) (arrives func()) {
	t.Helper()
	endpoint := deadPort(t)
	soc := newSocket(t, ctx, DEALER) // its zmq_close isn't put off
	require.NoError(t, soc.SetLinger(limit))
	require.NoError(t, soc.SetReconnectIvl(5*time.Millisecond))
	require.NoError(t, soc.Connect(endpoint))
	sendText(t, soc, "x")
	require.NoError(t, soc.Close())
	return func() { arrive(t, DEALER, endpoint, 1) }
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

func TestSubscriptionsDontDelayClose(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Forever)) // cut to limit
	xsub := newSocket(t, ctx, XSUB)
	require.NoError(t, xsub.Connect("tcp://127.0.0.1:1"))
	_, err := xsub.Send("\x01topic", 0)
	require.NoError(t, err)
	require.NoError(t, ctx.Close())
	assert.Less(t, ctx.Report().Took, limit/2)
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

// everyCall lists all methods of a socket or context that must fail when that
// is closed, each with some arguments. It calls the methods that return no
// error, so that they get a chance to panic.
func everyCall(object any) map[string]func() error {
	// The first three close, Context answers even afterwards, and String, which
	// has no pointer receiver, can't be called on nil.
	others := []string{"Close", "Term", "Shutdown", "Context", "String"}
	calls := make(map[string]func() error)
	v := reflect.ValueOf(object)
	for i := range v.NumMethod() {
		name, method := v.Type().Method(i).Name, v.Method(i)
		if slices.Contains(others, name) {
			continue
		}
		args := someArguments(method.Type())
		if fails(method.Type()) {
			calls[name] = func() error { return lastError(method.Call(args)) }
		} else {
			method.Call(args)
		}
	}
	return calls
}

func someArguments(f reflect.Type) (args []reflect.Value) {
	n := f.NumIn()
	if f.IsVariadic() {
		n--
	}
	for i := range n {
		arg := reflect.New(f.In(i)).Elem()
		switch f.In(i) {
		case reflect.TypeFor[context.Context]():
			arg.Set(reflect.ValueOf(context.Background()))
		case reflect.TypeFor[string]():
			arg.SetString("inproc://after")
		}
		args = append(args, arg)
	}
	return args
}

// fails reports whether the last result is an error, or an iterator over values
// with errors.
func fails(f reflect.Type) bool {
	if f.NumOut() == 0 {
		return false
	}
	last := f.Out(f.NumOut() - 1)
	return last == reflect.TypeFor[error]() || last.Kind() == reflect.Func
}

func lastError(results []reflect.Value) error {
	last := results[len(results)-1]
	if last.Kind() == reflect.Func {
		for _, yielded := range last.Seq2() {
			last = yielded
			break
		}
	}
	err, _ := last.Interface().(error)
	return err
}

// leaksAtOnce runs f in its own process, where a socket that leaks is closed at
// once.
func leaksAtOnce(t *testing.T, f func()) {
	t.Helper()
	inChild(t, func() {
		leakDelay = 0
		f()
	})
}

func TestLeakedSocketIsReportedAndClosed(t *testing.T) {
	leaksAtOnce(t, func() {
		var log syncBuffer
		ctx, err := NewContextWith(WithLogger(log.logger()))
		require.NoError(t, err)
		func() {
			soc, err := ctx.NewSocket(PUSH)
			require.NoError(t, err)
			require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
		}()
		eventuallyCollected(t, func() bool { return len(ctx.Sockets()) == 0 })
		line := log.line(t, socketLeaked)
		assert.Contains(t, line["socket"], "PUSH socket made at zmqsafe/context_close_test.go:")
		assert.Contains(t, line["made_at"], "zmqsafe/context_close_test.go:")
		require.NoError(t, ctx.Close())
	})
}

func TestLeakedContextIsReportedAndClosed(t *testing.T) {
	var log syncBuffer
	before := openDescriptors(t)
	func() {
		ctx, err := NewContextWith(WithLogger(log.logger()), WithCloseTimeout(100*time.Millisecond))
		require.NoError(t, err)
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
		_, err = soc.Send("unsent", 0)
		require.NoError(t, err)
	}()
	eventuallyCollected(t, func() bool { return openDescriptors(t) <= before })
	line := log.line(t, "zmqsafe: context was leaked without Close; closing it")
	assert.Contains(t, line["made_at"], "zmqsafe/context_close_test.go:")
	// With raw no finalizer ever runs again after this.
	collectGarbage(t)
}

// A socket that its context closed isn't leaked, and neither is one that is in
// use.
func TestNotLeaked(t *testing.T) {
	ctx := newContext(t) // fails the test for anything that is logged
	received := make(chan error)
	func() {
		soc, err := ctx.NewSocket(PULL)
		require.NoError(t, err)
		go func() { _, err := soc.Recv(0); received <- err }()
	}()
	for range 3 {
		runtime.GC()
	}
	require.Len(t, ctx.Sockets(), 1)
	require.NoError(t, ctx.Close())
	assert.Equal(t, ETERM, waitFor(t, "Recv", received))
	collectGarbage(t)
}

// When a program stops, its sockets may be lost before the context is closed.
// That gives them all the time that it has, and isn't a leak.
func TestLostSocketIsClosedWithItsContext(t *testing.T) {
	var log syncBuffer
	ctx, err := NewContextWith(WithLogger(log.logger()))
	require.NoError(t, err)
	endpoint := deadPort(t)
	func() {
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect(endpoint))
		_, err = soc.Send("late", 0)
		require.NoError(t, err)
	}()
	collectGarbage(t)
	closed := make(chan error, 1)
	go func() {
		bound, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		closed <- ctx.Shutdown(bound)
	}()
	waitFor(t, "Shutdown", ctx.c.ending)
	pull := newSocket(t, newContext(t), PULL)
	require.NoError(t, pull.SetRcvtimeo(limit))
	require.NoError(t, pull.Bind(endpoint))
	got, err := pull.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "late", got)
	require.NoError(t, waitFor(t, "Shutdown", closed))
	lingered, _ := ctx.Report().Sockets[0].EffectiveLinger.Duration()
	assert.Greater(t, lingered, limit/2)
	assert.Empty(t, log.lines(t))
}

// A socket keeps its context.
func TestSocketKeepsItsContext(t *testing.T) {
	soc := func() *Socket {
		ctx, err := NewContext()
		require.NoError(t, err)
		soc, err := ctx.NewSocket(PAIR)
		require.NoError(t, err)
		return soc
	}()
	collectGarbage(t)
	require.NoError(t, soc.Bind(inproc(t)))
	ctx, err := soc.Context()
	require.NoError(t, err)
	require.NoError(t, ctx.Close())
}

func eventuallyCollected(t *testing.T, done func() bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		runtime.GC()
		return done()
	}, limit, time.Millisecond)
}
