package zmqsafe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnknownSocketType(t *testing.T) {
	ctx := newContext(t)
	for _, typ := range []Type{-1, 99} {
		soc, err := ctx.NewSocket(typ)
		assert.ErrorIs(t, err, Errno(syscall.EINVAL))
		assert.ErrorContains(t, err, "ROUTER")
		assert.ErrorIs(t, soc.Bind("inproc://x"), ErrorSocketClosed)
	}
}

func TestSocketLimit(t *testing.T) {
	ctx := newContext(t)
	require.NoError(t, ctx.SetMaxSockets(2))
	first := newSocket(t, ctx, PUSH)
	require.NoError(t, first.Connect("inproc://nobody")) // creates the spare socket
	newSocket(t, ctx, PUSH)
	_, err := ctx.NewSocket(PUSH)
	assert.Equal(t, Errno(syscall.EMFILE), AsErrno(err))
	assert.ErrorContains(t, err, "its limit of 2 open sockets (SetMaxSockets)")
}

func TestBlockedReceiveGetsMessage(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:*", inproc(t), "ipc://" + t.TempDir() + "/s"} {
		ctx := newContext(t)
		pull, push := newPair(t, ctx, PULL, PUSH, endpoint)
		got := make(chan string)
		go func() {
			s, err := pull.Recv(0)
			assert.NoError(t, err)
			got <- s
		}()
		waitUntilBlocked(t, pull, POLLIN)
		_, err := push.Send("hello", 0)
		require.NoError(t, err)
		assert.Equal(t, "hello", waitFor(t, "Recv on "+endpoint, got))
	}
}

func TestBlockedSendGoesOnWhenPeerReads(t *testing.T) {
	ctx := newContext(t)
	pull, push := newSocket(t, ctx, PULL), newSocket(t, ctx, PUSH)
	require.NoError(t, pull.SetRcvhwm(1))
	require.NoError(t, push.SetSndhwm(1))
	require.NoError(t, pull.Bind(inproc(t)))
	require.NoError(t, push.Connect(inproc(t)))
	queued := 0
	for ; ; queued++ {
		if _, err := push.Send(fmt.Sprint(queued), DONTWAIT); err != nil {
			require.Equal(t, Errno(syscall.EAGAIN), err)
			break
		}
	}
	sent := make(chan error)
	go func() {
		_, err := push.Send("last", 0)
		sent <- err
	}()
	waitUntilBlocked(t, push, POLLOUT)
	for i := range queued {
		got, err := pull.Recv(0)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint(i), got)
	}
	assert.NoError(t, waitFor(t, "Send", sent))
	got, err := pull.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "last", got)
}

// A PUSH without a peer blocks in Send. A Connect by another goroutine ends
// that, without any edge on ZMQ_FD.
func TestConnectWakesBlockedSend(t *testing.T) {
	ctx := newContext(t)
	pull, push := newSocket(t, ctx, PULL), newSocket(t, ctx, PUSH)
	require.NoError(t, pull.Bind(inproc(t)))
	sent := make(chan error)
	go func() {
		_, err := push.Send("x", 0)
		sent <- err
	}()
	waitUntilBlocked(t, push, POLLOUT)
	require.NoError(t, push.Connect(inproc(t)))
	assert.NoError(t, waitFor(t, "Send", sent))
}

func TestDontwait(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PAIR)
	again := Errno(syscall.EAGAIN)
	_, err := soc.Recv(DONTWAIT)
	assert.Equal(t, again, err)
	_, err = soc.RecvMessageBytes(DONTWAIT)
	assert.Equal(t, again, err)
	_, err = soc.Send("x", DONTWAIT)
	assert.Equal(t, again, err)
	_, err = soc.SendMessageDontwait("x", "y")
	assert.Equal(t, again, err)
	assert.Equal(t, again, AsErrno(err))
}

func TestTimeouts(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PAIR)
	d, err := soc.GetRcvtimeo()
	require.NoError(t, err)
	require.Equal(t, time.Duration(-1), d)
	for _, timeout := range []time.Duration{0, 30 * time.Millisecond} {
		require.NoError(t, soc.SetRcvtimeo(timeout))
		require.NoError(t, soc.SetSndtimeo(timeout))
		got, err := soc.GetSndtimeo()
		require.NoError(t, err)
		assert.Equal(t, timeout, got)
		for name, call := range map[string]func() error{
			"Recv":        func() error { _, err := soc.Recv(0); return err },
			"RecvMessage": func() error { _, err := soc.RecvMessage(0); return err },
			"Send":        func() error { _, err := soc.Send("x", 0); return err },
			"SendMessage": func() error { _, err := soc.SendMessage("x", "y"); return err },
		} {
			start := time.Now()
			assert.Equal(t, Errno(syscall.EAGAIN), call(), name)
			assert.GreaterOrEqual(t, time.Since(start), timeout, name)
		}
	}
	// Rounded up, like a linger; pebbe/zmq4 makes 0 of it.
	require.NoError(t, soc.SetRcvtimeo(time.Microsecond))
	d, err = soc.GetRcvtimeo()
	require.NoError(t, err)
	assert.Equal(t, time.Millisecond, d)
}

func TestContextEndsBlockedCalls(t *testing.T) {
	zctx := newContext(t)
	soc := newSocket(t, zctx, PAIR)
	calls := map[string]func(context.Context) error{
		"RecvContext":             func(ctx context.Context) error { _, err := soc.RecvContext(ctx, 0); return err },
		"RecvBytesContext":        func(ctx context.Context) error { _, err := soc.RecvBytesContext(ctx, 0); return err },
		"RecvMessageContext":      func(ctx context.Context) error { _, err := soc.RecvMessageContext(ctx, 0); return err },
		"RecvMessageBytesContext": func(ctx context.Context) error { _, err := soc.RecvMessageBytesContext(ctx, 0); return err },
		"SendContext":             func(ctx context.Context) error { _, err := soc.SendContext(ctx, "x", 0); return err },
		"SendBytesContext":        func(ctx context.Context) error { _, err := soc.SendBytesContext(ctx, nil, 0); return err },
		"SendMessageContext":      func(ctx context.Context) error { _, err := soc.SendMessageContext(ctx, "x", "y"); return err },
	}
	for name, call := range calls {
		dir := POLLIN
		if strings.HasPrefix(name, "Send") {
			dir = POLLOUT
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- call(ctx) }()
		waitUntilBlocked(t, soc, dir)
		cancel()
		assert.ErrorIs(t, waitFor(t, name, done), context.Canceled, name)
		assert.ErrorIs(t, call(ctx), context.Canceled, name)
	}
}

// A cancelled receive takes no message, however close the two events are.
func TestCancelledReceiveLosesNoMessage(t *testing.T) {
	zctx := newContext(t)
	pull, push := newPair(t, zctx, PULL, PUSH, inproc(t))
	const messages = 3000
	received := 0
	for i := range messages {
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := push.Send(fmt.Sprint(i), 0)
			assert.NoError(t, err)
		})
		wg.Go(cancel)
		if got, err := pull.RecvContext(ctx, 0); err == nil {
			require.Equal(t, fmt.Sprint(received), got)
			received++
		} else {
			require.ErrorIs(t, err, context.Canceled)
		}
		wg.Wait()
	}
	for ; received < messages; received++ {
		got, err := pull.Recv(DONTWAIT)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(received), got)
	}
}

// A cancelled call either happens or doesn't: afterwards REQ and REP are in a
// valid state.
func TestCancelledCallsLeaveReqRepUsable(t *testing.T) {
	zctx := newContext(t)
	rep, req := newPair(t, zctx, REP, REQ, "tcp://127.0.0.1:*")
	for i := range 200 {
		request := fmt.Sprint("request ", i)
		for _, soc := range []*Socket{rep, req} {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%3)*100*time.Microsecond)
			_, err := soc.RecvContext(ctx, 0)
			cancel()
			require.Error(t, err) // EFSM on the REQ, the deadline on the REP
		}
		_, err := req.SendMessage(request, "body")
		require.NoError(t, err)
		_, err = req.Send("another", 0)
		require.Equal(t, EFSM, err)
		ctx, cancel := context.WithCancel(context.Background())
		go cancel()
		_, err = req.RecvContext(ctx, 0)
		require.ErrorIs(t, err, context.Canceled)
		got, err := rep.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{request, "body"}, got)
		_, err = rep.Send("reply", 0)
		require.NoError(t, err)
		reply, err := req.Recv(0)
		require.NoError(t, err)
		require.Equal(t, "reply", reply)
	}
}

// If a REQ without a peer gives up, it hasn't begun its request.
func TestReqWithoutPeerTimesOut(t *testing.T) {
	ctx := newContext(t)
	rep, req := newSocket(t, ctx, REP), newSocket(t, ctx, REQ)
	require.NoError(t, req.SetSndtimeo(5*time.Millisecond))
	_, err := req.SendMessage("lost", "request")
	require.Equal(t, Errno(syscall.EAGAIN), err)
	_, err = req.Recv(DONTWAIT)
	require.Equal(t, EFSM, err)
	require.NoError(t, rep.Bind(inproc(t)))
	require.NoError(t, req.Connect(inproc(t)))
	_, err = req.Send("request", 0)
	require.NoError(t, err)
	got, err := rep.RecvMessage(0)
	require.NoError(t, err)
	assert.Equal(t, []string{"request"}, got)
}

func TestCloseWakesEverybodyBlockedOnTheSocket(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, DEALER)
	const goroutines = 50
	errs := make(chan error, 2*goroutines)
	for range goroutines {
		go func() { _, err := soc.Recv(0); errs <- err }()
		go func() { _, err := soc.Send("x", 0); errs <- err }()
	}
	waitUntilBlocked(t, soc, POLLIN)
	waitUntilBlocked(t, soc, POLLOUT)
	require.NoError(t, soc.Close())
	for range 2 * goroutines {
		assert.Equal(t, ErrorSocketClosed, waitFor(t, "blocked call", errs))
	}
}

func TestClosingContextWakesWithETERM(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	errs := make(chan error)
	go func() {
		_, err := soc.Recv(0)
		if err == ETERM { // as programs do that Term ends
			_ = soc.SetLinger(0)
			err = errors.Join(err, soc.Close())
		}
		errs <- err
	}()
	waitUntilBlocked(t, soc, POLLIN)
	require.NoError(t, ctx.Term())
	assert.ErrorIs(t, waitFor(t, "Recv", errs), ETERM)
	_, err := soc.Recv(0)
	assert.Equal(t, ErrorSocketClosed, err, "after its own Close")
}

// assertIdle fails if the process goes on using CPU time while everything in
// the test is blocked: then it uses much in each interval. Something else may
// use much in one of them.
func assertIdle(t *testing.T) {
	t.Helper()
	var used []time.Duration
	for range 10 {
		before := cpuTime(t)
		time.Sleep(100 * time.Millisecond)
		if used = append(used, cpuTime(t)-before); used[len(used)-1] < 50*time.Millisecond {
			return
		}
	}
	t.Errorf("in intervals of 100 ms in which all are blocked, %v of CPU time were used", used)
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// A waiting goroutine takes no OS thread.
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
	assert.Less(t, threads, receivers/4)
	require.NoError(t, ctx.Close())
	bounded(t, "receivers", wg.Wait)
}
