package libzmq

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// proxied is what [Forward] moves messages between.
type proxied struct {
	source, from, to, target socket
	inFlight                 *InFlight
}

// newProxied opens the sockets of a proxy from PULL to PUSH. The target is
// connected later.
func newProxied(t *testing.T) proxied {
	t.Helper()
	p := proxied{open(t, zmq4.PUSH), open(t, zmq4.PULL), open(t, zmq4.PUSH), open(t, zmq4.PULL), newInFlight(t)}
	connect(t, p.from, p.source)
	return p
}

func newInFlight(t *testing.T) *InFlight {
	f := new(InFlight)
	t.Cleanup(f.Free)
	return f
}

func (p proxied) forward(capture unsafe.Pointer, most int) Forwarded {
	return Forward(p.from.pointer, p.to.pointer, capture, p.inFlight, most)
}

func send(t *testing.T, s socket, parts ...string) {
	t.Helper()
	_, err := s.SendMessageDontwait(parts)
	require.NoError(t, err)
}

func requireMessage(t *testing.T, s socket, want ...string) {
	t.Helper()
	parts, err := s.RecvMessage(zmq4.DONTWAIT)
	require.NoError(t, err)
	require.Equal(t, want, parts)
}

func requireNothing(t *testing.T, s socket) {
	t.Helper()
	_, err := s.RecvMessage(zmq4.DONTWAIT)
	require.Equal(t, zmq4.Errno(syscall.EAGAIN), err)
}

func bytesOf(parts ...string) (data [][]byte) {
	for _, part := range parts {
		data = append(data, []byte(part))
	}
	return data
}

// large is more than a zmq_msg_t holds itself: make asan sees whether it is
// freed.
var large = strings.Repeat("x", 100)

func TestForward(t *testing.T) {
	p := newProxied(t)
	connect(t, p.to, p.target)
	messages := [][]string{{large}, {"a", "", "c"}, {""}, slices.Repeat([]string{large}, 100)}
	var size uint64
	for _, message := range messages {
		send(t, p.source, message...)
		size += uint64(len(strings.Join(message, "")))
	}
	f := p.forward(nil, 1000)
	assert.Equal(t, Forwarded{Why: FromEmpty, Errno: syscall.EAGAIN, Taken: true, Messages: 4, Bytes: size}, f)
	assert.True(t, p.inFlight.Empty())
	for _, message := range messages {
		requireMessage(t, p.target, message...)
	}
	assert.Equal(t, Forwarded{Why: FromEmpty, Errno: syscall.EAGAIN}, p.forward(nil, 1000))
}

// It stops after the message that reaches the limit, not within it.
func TestForwardLimit(t *testing.T) {
	p := newProxied(t)
	connect(t, p.to, p.target)
	for range 3 {
		send(t, p.source, "a", "b", "c")
	}
	assert.Equal(t, Forwarded{Why: More, Taken: true, Messages: 2, Bytes: 6}, p.forward(nil, 4))
	for range 2 {
		requireMessage(t, p.target, "a", "b", "c")
	}
	requireNothing(t, p.target)
}

func TestForwardToFull(t *testing.T) {
	p := newProxied(t)
	send(t, p.source, "first", large)
	send(t, p.source, "second")
	assert.Equal(t, Forwarded{Why: ToFull, Errno: syscall.EAGAIN, Taken: true}, p.forward(nil, 10))
	assert.False(t, p.inFlight.Empty())
	assert.Equal(t, bytesOf("first", large), p.inFlight.Parts())
	assert.Equal(t, Forwarded{Why: ToFull, Errno: syscall.EAGAIN}, p.forward(nil, 10), "only one is taken")

	connect(t, p.to, p.target)
	f := p.forward(nil, 10)
	assert.EqualValues(t, 2, f.Messages)
	assert.True(t, p.inFlight.Empty())
	requireMessage(t, p.target, "first", large)
	requireMessage(t, p.target, "second")
}

// Capture gets each message once, and only when the destination has room.
func TestForwardCapture(t *testing.T) {
	p := newProxied(t)
	capture, captured := open(t, zmq4.PUSH), open(t, zmq4.PULL)
	send(t, p.source, "a", large)
	f := p.forward(capture.pointer, 10)
	assert.Equal(t, ToFull, f.Why)
	assert.Zero(t, f.Captured)

	connect(t, p.to, p.target)
	f = p.forward(capture.pointer, 10)
	assert.Equal(t, CaptureFull, f.Why)
	assert.Zero(t, f.Captured+f.Messages)
	assert.Equal(t, bytesOf("a", large), p.inFlight.Parts())
	requireNothing(t, p.target)

	connect(t, capture, captured)
	send(t, p.source, "b")
	f = p.forward(capture.pointer, 10)
	assert.Equal(t, FromEmpty, f.Why)
	assert.EqualValues(t, 2, f.Captured)
	assert.EqualValues(t, 2, f.Messages)
	for _, s := range []socket{p.target, captured} {
		requireMessage(t, s, "a", large)
		requireMessage(t, s, "b")
		requireNothing(t, s)
	}
}

// A ROUTER has room, but not for the peer that the message is for: the message
// is captured, stays in flight, and isn't captured again.
func TestForwardCapturesOnce(t *testing.T) {
	p := newProxied(t)
	p.to, p.target = open(t, zmq4.ROUTER), open(t, zmq4.DEALER)
	require.NoError(t, p.to.SetRouterMandatory(1))
	require.NoError(t, p.to.SetSndhwm(1))
	require.NoError(t, p.target.SetRcvhwm(1))
	require.NoError(t, p.target.SetIdentity("busy"))
	connect(t, p.to, p.target)
	idle := open(t, zmq4.DEALER)
	lastEndpoint, err := p.to.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, idle.Connect(lastEndpoint))
	captured, capture := pair(t, zmq4.PULL, zmq4.PUSH)
	for {
		if _, err := p.to.SendMessageDontwait("busy", ""); err != nil {
			break
		}
	}
	send(t, p.source, "busy", large)
	for i := range 3 {
		f := p.forward(capture.pointer, 10)
		assert.Equal(t, ToFull, f.Why)
		assert.Equal(t, i == 0, f.Captured == 1)
	}
	requireMessage(t, captured, "busy", large)
	requireNothing(t, captured)
}

// A message that the program puts in flight is the first.
func TestForwardPut(t *testing.T) {
	p := newProxied(t)
	connect(t, p.to, p.target)
	send(t, p.source, "second")
	p.inFlight.Put(bytesOf("first", large))
	assert.Equal(t, Forwarded{Why: More, Messages: 1, Bytes: 105}, p.forward(nil, 1))
	assert.Equal(t, Forwarded{Why: More, Taken: true, Messages: 1, Bytes: 6}, p.forward(nil, 1))
	requireMessage(t, p.target, "first", large)
	requireMessage(t, p.target, "second")
}

// A message that the destination refuses for good is dropped, and the next ones
// go on.
func TestForwardRefused(t *testing.T) {
	p := newProxied(t)
	p.to, p.target = open(t, zmq4.ROUTER), open(t, zmq4.DEALER)
	require.NoError(t, p.to.SetRouterMandatory(1))
	require.NoError(t, p.target.SetIdentity("known"))
	connect(t, p.to, p.target)
	send(t, p.source, "unknown", large)
	send(t, p.source, "known", large)
	f := p.forward(nil, 10)
	assert.Equal(t, Forwarded{Why: Failed, Errno: syscall.EHOSTUNREACH, Taken: true, Dropped: true}, f)
	assert.True(t, p.inFlight.Empty())
	assert.EqualValues(t, 1, p.forward(nil, 10).Messages)
	requireMessage(t, p.target, large)
}

// A socket that can't receive fails; one that can't receive now is empty, and
// one that can't send now, or ever, is full.
func TestForwardInWrongState(t *testing.T) {
	push, rep := open(t, zmq4.PUSH), open(t, zmq4.REP)
	f := Forward(push.pointer, push.pointer, nil, newInFlight(t), 1)
	assert.Equal(t, Forwarded{Why: Failed, Errno: syscall.ENOTSUP}, f)
	req := open(t, zmq4.REQ)
	assert.Equal(t, FromEmpty, Forward(req.pointer, rep.pointer, nil, newInFlight(t), 1).Why)
	inFlight := newInFlight(t)
	inFlight.Put(bytesOf("a"))
	for _, to := range []socket{rep, open(t, zmq4.PULL)} {
		assert.Equal(t, ToFull, Forward(push.pointer, to.pointer, nil, inFlight, 1).Why)
		assert.Equal(t, bytesOf("a"), inFlight.Parts())
	}
}

func TestInFlight(t *testing.T) {
	var f InFlight
	assert.True(t, f.Empty())
	assert.Empty(t, f.Parts())
	f.Free()
	for range 2 { // it can be used again after Free
		message := append(bytesOf("", large), slices.Repeat(bytesOf("part"), 40)...)
		f.Put(message)
		assert.False(t, f.Empty())
		assert.Equal(t, message, f.Parts())
		f.Free()
		assert.True(t, f.Empty())
	}
}

// A PAIR whose peer goes while it sends a message drops the message: no part of
// it stays in flight or reaches the next peer.
func TestForwardTearsNothing(t *testing.T) {
	const parts = 100_000 // so many that libzmq looks into the mailbox between two
	from := open(t, zmq4.PULL)
	message := slices.Repeat(bytesOf("part"), parts)
	for i := range 10 {
		to, inFlight := open(t, zmq4.PAIR), newInFlight(t)
		endpoint := fmt.Sprintf("inproc://%p", to.Socket)
		require.NoError(t, to.Bind(endpoint))
		peer := newPeer(t, to, endpoint)
		inFlight.Put(message)
		var closing sync.WaitGroup
		closing.Go(func() {
			time.Sleep(time.Duration(i) * 100 * time.Microsecond)
			peer.Close()
		})
		f := Forward(from.pointer, to.pointer, nil, inFlight, parts)
		closing.Wait()
		if f.Messages == 0 { // the peer was gone before the first part
			require.True(t, slices.EqualFunc(message, inFlight.Parts(), bytes.Equal))
			continue
		}
		require.True(t, inFlight.Empty())
		require.Eventually(t, func() bool { return !writable(to) }, time.Minute, time.Millisecond)

		next := newPeer(t, to, endpoint)
		send(t, to, "whole")
		requireMessage(t, next, "whole")
	}
}

func writable(s socket) bool { return Events(s.pointer)&int(zmq4.POLLOUT) != 0 }

// newPeer connects a PAIR to another one, which refuses it while it has a peer
// that is about to go.
func newPeer(t *testing.T, to socket, endpoint string) (peer socket) {
	t.Helper()
	require.Eventually(t, func() bool {
		peer = open(t, zmq4.PAIR)
		require.NoError(t, peer.Connect(endpoint))
		return writable(to) || peer.Close() != nil
	}, time.Minute, time.Millisecond)
	return peer
}
