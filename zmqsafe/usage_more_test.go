package zmqsafe_test

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	zmq4 "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// A reactor with a socket and a ticker.
func TestUsageReactorWithTicker(t *testing.T) {
	ctx := newContext(t)
	pull := open(t, ctx, zmq4.PULL, "@tcp://127.0.0.1:*")
	push := open(t, ctx, zmq4.PUSH, bound(t, pull))
	_, err := push.Send("message", 0)
	require.NoError(t, err)

	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	enough := errors.New("enough")
	messages, ticks := 0, 0
	reactor := zmq4.NewReactor()
	reactor.AddSocket(pull, zmq4.POLLIN, func(zmq4.State) error {
		_, err := pull.Recv(0)
		messages++
		return err
	})
	reactor.AddChannelTime(ticker.C, 1, func(any) error {
		ticks++
		if ticks >= 10 && messages > 0 {
			return enough
		}
		return nil
	})
	start(t, func() { assert.Equal(t, enough, reactor.Run(10*time.Millisecond)) })()
	assert.Equal(t, 1, messages)
	closeAll(t, ctx, push, pull)
}

// A reactor on a goroutine of its own that ends when its channel says so.
func TestUsageReactorQuit(t *testing.T) {
	ctx := newContext(t)
	rep := open(t, ctx, zmq4.REP, "@inproc://reactor")
	quit := make(chan any)
	wait := start(t, func() {
		defer rep.Close()
		reactor := zmq4.NewReactor()
		reactor.AddSocket(rep, zmq4.POLLIN, func(zmq4.State) error {
			request, err := rep.RecvMessage(0)
			if err == nil {
				_, err = rep.SendMessage(request)
			}
			return err
		})
		reactor.AddChannel(quit, 1, func(any) error { return errors.New("quit") })
		assert.EqualError(t, reactor.Run(10*time.Millisecond), "quit")
	})
	req := open(t, ctx, zmq4.REQ, ">inproc://reactor")
	for range 3 {
		_, err := req.Send("hello", 0)
		require.NoError(t, err)
		_, err = req.Recv(0)
		require.NoError(t, err)
	}
	quit <- true
	wait()
	closeAll(t, ctx, req)
}

// One socket on both sides: what comes in goes back.
func TestUsageProxyToItself(t *testing.T) {
	ctx := newContext(t)
	router := open(t, ctx, zmq4.ROUTER, "@tcp://127.0.0.1:*")
	peer := open(t, ctx, zmq4.DEALER, bound(t, router))
	proxy := start(t, func() {
		err := zmq4.Proxy(router, router, nil)
		assert.Equal(t, zmq4.ETERM, zmq4.AsErrno(err))
		assert.NoError(t, router.Close())
	})
	for i := range 3 {
		_, err := peer.SendMessage("round", i)
		require.NoError(t, err)
		echo, err := peer.RecvMessage(0)
		require.NoError(t, err)
		assert.Equal(t, []string{"round", fmt.Sprint(i)}, echo)
	}
	closeAll(t, ctx, peer)
	proxy()
}

// A steerable proxy that nobody steers.
func TestUsageProxySteerableWithoutControl(t *testing.T) {
	ctx := newContext(t)
	frontend := open(t, ctx, zmq4.ROUTER, "@inproc://frontend")
	backend := open(t, ctx, zmq4.DEALER, "@inproc://backend")
	proxy := start(t, func() {
		err := zmq4.ProxySteerable(frontend, backend, nil, nil)
		assert.Equal(t, zmq4.ETERM, zmq4.AsErrno(err))
		assert.NoError(t, frontend.Close())
		assert.NoError(t, backend.Close())
	})
	server := open(t, ctx, zmq4.REP, ">inproc://backend")
	client := open(t, ctx, zmq4.REQ, ">inproc://frontend")
	_, err := client.Send("ping", 0)
	require.NoError(t, err)
	request, err := server.Recv(0)
	require.NoError(t, err)
	_, err = server.Send(request+" pong", 0)
	require.NoError(t, err)
	reply, err := client.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "ping pong", reply)
	closeAll(t, ctx, client, server)
	proxy()
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
