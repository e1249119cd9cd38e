package zmqsafe

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// drainedProxy is a ProxyDrain between two peers.
type drainedProxy struct {
	log                                 syncBuffer
	sender, frontend, backend, receiver *Socket
	stop                                func()
	result                              chan Drained
}

func newDrainedProxy(t *testing.T, types [4]Type, quiet, within time.Duration) *drainedProxy {
	t.Helper()
	p := &drainedProxy{result: make(chan Drained, 1)}
	ctx := newContext(t, WithLogger(p.log.logger()))
	p.sender, p.frontend = newPair(t, ctx, types[0], types[1], fmt.Sprintf("inproc://%p-in", p))
	p.backend, p.receiver = newPair(t, ctx, types[2], types[3], fmt.Sprintf("inproc://%p-out", p))
	require.NoError(t, p.receiver.SetRcvtimeo(limit))
	if types[1] == SUB {
		require.NoError(t, p.frontend.SetSubscribe(""))
		_, err := p.sender.Recv(0)
		require.NoError(t, err)
	}
	stop, cancel := context.WithCancel(context.Background())
	p.stop = cancel
	t.Cleanup(cancel)
	go func() {
		drained, err := ProxyDrain(stop, p.frontend, p.backend, nil, quiet, within)
		assert.NoError(t, err)
		p.result <- drained
	}()
	return p
}

// Both directions are drained, and what comes during the drain is moved.
func TestProxyDrain(t *testing.T) {
	const quiet = 20 * testQuiet // in which a busy system moves the answer
	p := newDrainedProxy(t, [4]Type{DEALER, ROUTER, DEALER, DEALER}, quiet, limit)
	sendText(t, p.sender, "before")
	request, err := p.receiver.RecvMessage(0)
	require.NoError(t, err)
	p.stop()
	require.Eventually(t, func() bool {
		require.NoError(t, p.frontend.s.Lock())
		defer p.frontend.s.Unlock(0)
		return p.frontend.s.draining.loops == 1
	}, limit, time.Millisecond)
	_, err = p.receiver.SendMessage(request)
	require.NoError(t, err)
	drained := waitFor(t, "ProxyDrain", p.result)
	assert.True(t, drained.Quiet)
	assert.EqualValues(t, 1, drained.Messages)
	assert.GreaterOrEqual(t, drained.Took, quiet)
	_, err = p.sender.RecvMessage(DONTWAIT)
	require.NoError(t, err, "the answer was moved")
	sockets := p.frontend.ctx.Sockets()
	assert.EqualValues(t, 0, sockets[1].Drained.Messages, "from the frontend")
	assert.EqualValues(t, 1, sockets[2].Drained.Messages, "from the backend")
	assert.True(t, sockets[1].Drained.Quiet && sockets[2].Drained.Quiet)
	assert.Empty(t, p.log.lines(t))
}

// A message that the backend has no room for isn't drained, however quiet it
// is. It stays unread.
func TestProxyDrainWaitsForTheBackend(t *testing.T) {
	p := newDrainedProxy(t, [4]Type{PUSH, PULL, PUSH, PULL}, testQuiet, 10*testQuiet)
	require.NoError(t, p.receiver.Close())
	require.Eventually(t, func() bool {
		events, err := p.backend.GetEvents()
		return err == nil && events&POLLOUT == 0
	}, limit, time.Millisecond)
	sendText(t, p.sender, "stuck")
	require.Eventually(t, func() bool {
		require.NoError(t, p.frontend.s.Lock())
		defer p.frontend.s.Unlock(0)
		return p.frontend.s.inFlight == 1
	}, limit, time.Millisecond)
	p.stop()
	drained := waitFor(t, "ProxyDrain", p.result)
	assert.False(t, drained.Quiet)
	assert.Zero(t, drained.Messages)
	assert.GreaterOrEqual(t, drained.Took, 10*testQuiet)
	text, err := p.frontend.Recv(DONTWAIT)
	require.NoError(t, err)
	assert.Equal(t, "stuck", text)
	require.NoError(t, p.frontend.ctx.Close())
	assert.Empty(t, p.frontend.ctx.Report().Unread, "it was received")
}

// All that is queued at the stop is moved, and a SUB unsubscribes.
func TestProxyDrainMovesTheQueue(t *testing.T) {
	for _, types := range [][4]Type{{PUSH, PULL, PUSH, PULL}, {XPUB, SUB, PUSH, PULL}} {
		t.Run(types[1].String(), func(t *testing.T) {
			const messages = 1000
			p := newDrainedProxy(t, types, testQuiet, limit)
			locked, release := make(chan error), make(chan struct{})
			go func() { // until then the proxy moves nothing
				locked <- p.backend.s.Lock()
				<-release
				p.backend.s.Unlock(0)
			}()
			require.NoError(t, waitFor(t, "the lock", locked))
			for range messages {
				sendText(t, p.sender, "a")
			}
			p.stop()
			close(release)
			drained := waitFor(t, "ProxyDrain", p.result)
			assert.True(t, drained.Quiet)
			if types[1] == SUB {
				assertUnsubscribed(t, p.sender, "")
			}
			for range messages {
				_, err := p.receiver.Recv(0)
				require.NoError(t, err)
			}
		})
	}
}
