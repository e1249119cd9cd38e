package usage_test

import (
	"errors"
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
