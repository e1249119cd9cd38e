package usage_test

import (
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	zmq4 "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// The conformance test runs these files on raw, too, with the import above
// replaced and nothing else, each test in a process of its own.

// patience is how long anything here may take before it counts as hung.
const patience = time.Minute

// needsGuard ends a test on raw, which can't do what it does.
func needsGuard(t *testing.T, why string) {
	t.Helper()
	if strings.HasSuffix(reflect.TypeFor[zmq4.Socket]().PkgPath(), "pebbe/zmq4") {
		t.Skip("raw: ", why)
	}
}

// start runs f and returns a function that waits for it to end.
func start(t *testing.T, f func()) (wait func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	return func() {
		t.Helper()
		select {
		case <-done:
		case <-time.After(patience):
			require.Fail(t, "hung")
		}
	}
}

func newContext(t *testing.T) *zmq4.Context {
	t.Helper()
	ctx, err := zmq4.NewContext()
	require.NoError(t, err)
	return ctx
}

// open makes a socket and binds or connects it: endpoints begin with @ or >.
func open(t *testing.T, ctx *zmq4.Context, typ zmq4.Type, endpoints ...string) *zmq4.Socket {
	t.Helper()
	soc, err := ctx.NewSocket(typ)
	require.NoError(t, err)
	for _, endpoint := range endpoints {
		if endpoint[0] == '@' {
			require.NoError(t, soc.Bind(endpoint[1:]))
		} else {
			require.NoError(t, soc.Connect(endpoint[1:]))
		}
	}
	return soc
}

// bound is where a socket that was bound to a wildcard can be reached.
func bound(t *testing.T, soc *zmq4.Socket) string {
	t.Helper()
	endpoint, err := soc.GetLastEndpoint()
	require.NoError(t, err)
	return ">" + endpoint
}

func closeAll(t *testing.T, ctx *zmq4.Context, sockets ...*zmq4.Socket) {
	t.Helper()
	for _, soc := range sockets {
		require.NoError(t, soc.Close())
	}
	start(t, func() { assert.NoError(t, ctx.Term()) })()
}

// Messages sent part by part, received part by part or whole.
func TestUsageParts(t *testing.T) {
	ctx := newContext(t)
	router := open(t, ctx, zmq4.ROUTER, "@tcp://127.0.0.1:*")
	dealer, err := ctx.NewSocket(zmq4.DEALER)
	require.NoError(t, err)
	require.NoError(t, dealer.SetIdentity("worker-1"))
	require.NoError(t, dealer.Connect(bound(t, router)[1:]))

	_, err = dealer.Send("", zmq4.SNDMORE)
	require.NoError(t, err)
	_, err = dealer.SendBytes([]byte("head"), zmq4.SNDMORE)
	require.NoError(t, err)
	n, err := dealer.Send("body", 0)
	require.NoError(t, err)
	assert.Equal(t, 4, n)

	var parts []string
	for more := true; more; {
		part, err := router.Recv(0)
		require.NoError(t, err)
		parts = append(parts, part)
		more, err = router.GetRcvmore()
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"worker-1", "", "head", "body"}, parts)

	_, err = router.SendMessage(parts[0], "", []byte("reply"), []string{"a", "b"}, 7)
	require.NoError(t, err)
	reply, err := dealer.RecvMessageBytes(0)
	require.NoError(t, err)
	assert.Equal(t, [][]byte{{}, []byte("reply"), []byte("a"), []byte("b"), []byte("7")}, reply)
	closeAll(t, ctx, dealer, router)
}

// All the ways to ask for "try again".
func TestUsageAgain(t *testing.T) {
	ctx := newContext(t)
	soc := open(t, ctx, zmq4.PULL, "@inproc://again")
	require.NoError(t, soc.SetRcvtimeo(10*time.Millisecond))
	for _, flags := range []zmq4.Flag{zmq4.DONTWAIT, 0} {
		_, err := soc.RecvMessage(flags)
		require.Error(t, err)
		assert.Equal(t, zmq4.Errno(syscall.EAGAIN), zmq4.AsErrno(err))
		assert.Equal(t, zmq4.Errno(syscall.EAGAIN), err.(zmq4.Errno)) // unchecked
		assert.True(t, err == zmq4.Errno(syscall.EAGAIN))
		assert.ErrorIs(t, err, zmq4.Errno(syscall.EAGAIN))
		assert.Equal(t, "resource temporarily unavailable", err.Error())
	}
	closeAll(t, ctx, soc)
	_, err := soc.Recv(0)
	assert.Equal(t, zmq4.ErrorSocketClosed, err)
}

// Term is called to get a receiver out, which then closes its socket itself.
func TestUsageTermUnblocks(t *testing.T) {
	ctx := newContext(t)
	opened := make(chan struct{})
	wait := start(t, func() {
		soc := open(t, ctx, zmq4.SUB, "@inproc://term-unblocks")
		assert.NoError(t, soc.SetSubscribe(""))
		close(opened)
		_, err := soc.RecvMessage(0)
		assert.True(t, err == zmq4.ETERM, "%v", err)
		assert.Equal(t, zmq4.ETERM, zmq4.AsErrno(err))
		_ = soc.SetLinger(0)
		assert.NoError(t, soc.Close())
	})
	<-opened
	closeAll(t, ctx)
	wait()
}

// A receiver with a time-out looks at a flag now and then.
func TestUsageTimeoutAndFlag(t *testing.T) {
	ctx := newContext(t)
	soc := open(t, ctx, zmq4.REP, "@tcp://127.0.0.1:*")
	client := open(t, ctx, zmq4.REQ, bound(t, soc))
	require.NoError(t, soc.SetRcvtimeo(5*time.Millisecond))
	stop := make(chan struct{})
	wait := start(t, func() {
		defer soc.Close()
		for {
			select {
			case <-stop:
				return
			default:
			}
			request, err := soc.Recv(0)
			if err != nil {
				if zmq4.AsErrno(err) == zmq4.Errno(syscall.EAGAIN) {
					continue
				}
				assert.NoError(t, err)
				return
			}
			_, err = soc.Send(request+"!", 0)
			assert.NoError(t, err)
		}
	})
	for range 10 {
		_, err := client.Send("hello", 0)
		require.NoError(t, err)
		reply, err := client.Recv(0)
		require.NoError(t, err)
		assert.Equal(t, "hello!", reply)
	}
	close(stop)
	wait()
	closeAll(t, ctx, client)
}

// One goroutine closes the socket of another.
func TestUsageCloseFromElsewhere(t *testing.T) {
	needsGuard(t, "aborts, or never returns from Recv")
	ctx := newContext(t)
	soc := open(t, ctx, zmq4.PULL, "@tcp://127.0.0.1:*")
	push := open(t, ctx, zmq4.PUSH, bound(t, soc))
	first := make(chan struct{})
	wait := start(t, func() {
		_, err := soc.Recv(0)
		assert.NoError(t, err)
		close(first)
		_, err = soc.Recv(0)
		assert.Equal(t, zmq4.ErrorSocketClosed, err)
	})
	_, err := push.Send("message", 0)
	require.NoError(t, err)
	<-first
	closeAll(t, ctx, soc, push)
	wait()
}

// A socket that several goroutines send on, under a mutex of the program's own.
func TestUsageSocketUnderMutex(t *testing.T) {
	ctx := newContext(t)
	pull := open(t, ctx, zmq4.PULL, "@tcp://127.0.0.1:*")
	push := open(t, ctx, zmq4.PUSH, bound(t, pull))
	var mu sync.Mutex
	var senders sync.WaitGroup
	const each = 200
	for range 4 {
		senders.Go(func() {
			for range each {
				mu.Lock()
				_, err := push.Send("head", zmq4.SNDMORE)
				assert.NoError(t, err)
				_, err = push.Send("body", 0)
				assert.NoError(t, err)
				mu.Unlock()
			}
		})
	}
	for range 4 * each {
		message, err := pull.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{"head", "body"}, message)
	}
	senders.Wait()
	closeAll(t, ctx, push, pull)
}

// IMMEDIATE on a SUB: libzmq sends the subscription only while the program is
// inside a call on the socket.
func TestUsageImmediateSub(t *testing.T) {
	ctx := newContext(t)
	pub := open(t, ctx, zmq4.PUB, "@tcp://127.0.0.1:*")
	sub := open(t, ctx, zmq4.SUB)
	require.NoError(t, sub.SetImmediate(true))
	require.NoError(t, sub.SetSubscribe("news"))
	require.NoError(t, sub.Connect(bound(t, pub)[1:]))
	stop := make(chan struct{})
	wait := start(t, func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_, err := pub.SendMessage("news", "of today")
			assert.NoError(t, err)
			time.Sleep(time.Millisecond)
		}
	})
	// Blocked in it from before there is a connection.
	start(t, func() {
		message, err := sub.RecvMessage(0)
		assert.NoError(t, err)
		assert.Equal(t, []string{"news", "of today"}, message)
	})()
	close(stop)
	wait()
	closeAll(t, ctx, sub, pub)
}

// A goroutine that reads a socket's events to the end.
func TestUsageMonitorLoop(t *testing.T) {
	ctx := newContext(t)
	server := open(t, ctx, zmq4.REP)
	require.NoError(t, server.Monitor("inproc://monitor", zmq4.EVENT_ALL))
	var events []zmq4.Event
	reader := open(t, ctx, zmq4.PAIR, ">inproc://monitor")
	wait := start(t, func() {
		defer reader.Close()
		for {
			event, _, _, err := reader.RecvEvent(0)
			if err != nil {
				assert.Equal(t, zmq4.ETERM, zmq4.AsErrno(err))
				return
			}
			events = append(events, event)
			if event == zmq4.EVENT_MONITOR_STOPPED {
				return
			}
		}
	})
	require.NoError(t, server.Bind("tcp://127.0.0.1:*"))
	client := open(t, ctx, zmq4.REQ, bound(t, server))
	_, err := client.Send("hello", 0)
	require.NoError(t, err)
	_, err = server.Recv(0)
	require.NoError(t, err)
	require.NoError(t, server.Close())
	wait()
	require.NotEmpty(t, events)
	assert.Equal(t, zmq4.EVENT_LISTENING, events[0])
	assert.Contains(t, events, zmq4.EVENT_ACCEPTED)
	assert.Equal(t, zmq4.EVENT_MONITOR_STOPPED, events[len(events)-1])
	closeAll(t, ctx, client)
}

// Bursts of DONTWAIT until the high-water mark says stop.
func TestUsageDontwaitUntilFull(t *testing.T) {
	ctx := newContext(t)
	push := open(t, ctx, zmq4.PUSH)
	require.NoError(t, push.SetSndhwm(10))
	require.NoError(t, push.SetLinger(0))
	require.NoError(t, push.Connect("inproc://full"))
	sent := 0
	for {
		_, err := push.SendBytes([]byte("x"), zmq4.DONTWAIT)
		if zmq4.AsErrno(err) == zmq4.Errno(syscall.EAGAIN) {
			break
		}
		require.NoError(t, err)
		sent++
	}
	assert.Equal(t, 10, sent)
	pull := open(t, ctx, zmq4.PULL, "@inproc://full")
	for range sent {
		_, err := pull.RecvBytes(0)
		require.NoError(t, err)
	}
	closeAll(t, ctx, push, pull)
}
