package zmqsafe

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProxyCapture(t *testing.T) {
	p := newProxied(t, DEALER, DEALER, DEALER, DEALER).withCapture(t, PUSH, PULL).run(t)
	for i := range 100 {
		_, err := p.sender.SendMessage("there", i)
		require.NoError(t, err)
		_, err = p.receiver.RecvMessage(0)
		require.NoError(t, err)
		_, err = p.receiver.SendMessage("back", i)
		require.NoError(t, err)
		_, err = p.sender.RecvMessage(0)
		require.NoError(t, err)
		for _, way := range []string{"there", "back"} {
			parts, err := p.captured.RecvMessage(0)
			require.NoError(t, err)
			require.Equal(t, []string{way, fmt.Sprint(i)}, parts)
		}
	}
}

// A capture without room holds the proxy up, and nothing is lost or captured
// twice; neither when it is the other side that has no room.
func TestProxyWaitsForCapture(t *testing.T) {
	const messages = 3000
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	p.capture = newSocket(t, p.ctx, PUSH)
	require.NoError(t, p.capture.SetSndhwm(1))
	p.run(t)
	go func() {
		for i := range messages {
			_, _ = p.sender.Send(fmt.Sprint(i), 0)
		}
	}()
	waitUntilFull(t, p.capture)
	_, err := p.receiver.Recv(DONTWAIT)
	require.Equal(t, errAgain, err)

	captured := newSocket(t, p.ctx, PULL)
	require.NoError(t, captured.SetRcvhwm(1))
	require.NoError(t, captured.Bind(inproc(t)+"-capture"))
	require.NoError(t, p.capture.Connect(inproc(t)+"-capture"))
	for _, soc := range []*Socket{captured, p.receiver} {
		for i := range 1000 { // less than the queues hold
			text, err := soc.Recv(0)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(i), text)
			if soc == p.receiver {
				text, err = captured.Recv(0)
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint(1000+i), text)
			}
		}
	}
}

// What capture refuses wasn't moved.
func TestProxyCaptureFails(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	p.capture = newSocket(t, p.ctx, REP)
	_, err := p.sender.SendMessage("some", "text")
	require.NoError(t, err)
	p.run(t)
	require.Equal(t, EFSM, waitFor(t, "Proxy", p.ended))
	parts, err := p.front.RecvMessage(DONTWAIT)
	require.NoError(t, err)
	require.Equal(t, []string{"some", "text"}, parts)
	_, err = p.receiver.RecvMessage(DONTWAIT)
	require.Equal(t, errAgain, err)
}

// A side may be where copies go. Messages stay whole.
func TestProxyCapturesToItself(t *testing.T) {
	p := newProxied(t, DEALER, DEALER, DEALER, DEALER)
	p.capture = p.back
	p.run(t)
	_, err := p.sender.SendMessage("some", "text")
	require.NoError(t, err)
	for range 2 {
		parts, err := p.receiver.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{"some", "text"}, parts)
	}
}

// A proxy that is stopped while the other side has no room hasn't captured the
// message that it gives back.
func TestProxyCapturesOnce(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL).withCapture(t, PUSH, PULL)
	require.NoError(t, p.receiver.Close())
	requireReadyIn(t, p.back, 0)
	sendText(t, p.sender, "text")
	for range 2 {
		p.run(t)
		waitUntilFull(t, p.back)
		p.stop()
		require.ErrorIs(t, waitFor(t, "Proxy", p.ended), context.Canceled)
	}
	_, err := p.captured.Recv(DONTWAIT)
	require.Equal(t, errAgain, err)
}
