package zmqsafe

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The counts are of whole messages, whichever way they come and go.
func TestMessagesAreCounted(t *testing.T) {
	ctx := newContext(t)
	a, b := newPair(t, ctx, PAIR, PAIR, inproc(t))
	counts := func(soc *Socket) [2]uint64 { return counted(t, soc) }
	var n uint64
	for _, send := range []func() error{
		func() error { _, err := a.Send("x", 0); return err },
		func() error { _, err := a.SendBytes(nil, 0); return err },
		func() error { _, err := a.SendMessage("x", []byte("y"), []string{"1", "2"}); return err },
		func() error { _, err := a.SendMessageDontwait("x"); return err },
		func() error { _, err := a.Send("alone", 0); return err },
		func() error { _, err := a.Send("x", SNDMORE); return err },
	} {
		require.NoError(t, send())
		n++
	}
	assert.Equal(t, [2]uint64{n - 1, 0}, counts(a), "the last isn't whole")
	_, err := a.Send("y", 0)
	require.NoError(t, err)
	assert.Equal(t, [2]uint64{n, 0}, counts(a))
	_, err = a.SendMessage()
	require.NoError(t, err)
	assert.Equal(t, [2]uint64{n, 0}, counts(a), "nothing was sent")

	for i, receive := range []func() error{
		func() error { _, err := b.Recv(0); return err },
		func() error { _, err := b.RecvBytes(0); return err },
		func() error { _, err := b.RecvMessage(0); return err },
		func() error { _, _, err := b.RecvMessageWithMetadata(0); return err },
		func() error { _, _, err := b.RecvWithMetadata(0); return err },
		func() error { _, _, err := b.RecvWithMetadata(0); return err },
	} {
		require.NoError(t, receive())
		want := uint64(i + 1)
		if want == n {
			want-- // a part of two
		}
		assert.Equal(t, [2]uint64{0, want}, counts(b))
	}
	_, err = b.RecvInto(nil, 0)
	require.ErrorIs(t, err, EMSGSIZE)
	assert.Equal(t, [2]uint64{0, n - 1}, counts(b))
	_, err = b.RecvInto(make([]byte, 1), 0)
	require.NoError(t, err)
	assert.Equal(t, [2]uint64{0, n}, counts(b))

	_, err = a.SendMessage("1", "2")
	require.NoError(t, err)
	n++
	for _, want := range []uint64{n - 1, n} { // part by part
		_, err = b.RecvInto(make([]byte, 1), 0)
		require.NoError(t, err)
		assert.Equal(t, [2]uint64{0, want}, counts(b))
	}

	_, err = b.Recv(DONTWAIT)
	require.Error(t, err)
	_, err = newSocket(t, ctx, PUSH).Send("x", DONTWAIT)
	require.Error(t, err)
	assert.Equal(t, [2]uint64{0, n}, counts(b))
	assert.Zero(t, ctx.Sockets()[2].Accepted)
}

func TestProxiedMessagesAreCounted(t *testing.T) {
	ctx := newContext(t)
	frontend, push := newPair(t, ctx, PULL, PUSH, "inproc://front")
	backend, pull := newPair(t, ctx, PUSH, PULL, "inproc://back")
	capture, tap := newPair(t, ctx, PUSH, PULL, "inproc://capture")
	bound, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ProxyContext(bound, frontend, backend, capture) }()
	const messages = 500
	for range messages {
		_, err := push.SendMessage("two", "parts")
		require.NoError(t, err)
		for _, soc := range []*Socket{pull, tap} {
			_, err = soc.RecvMessage(0)
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { return ctx.Sockets()[0].Waiting == Waiting{Polls: 1} }, limit, time.Millisecond)
	stop()
	require.ErrorIs(t, waitFor(t, "the proxy", done), context.Canceled)
	sockets := ctx.Sockets()
	assert.Equal(t, uint64(messages), sockets[0].Received)
	assert.Equal(t, uint64(messages), sockets[2].Accepted)
	assert.Equal(t, uint64(messages), sockets[4].Accepted)
	assert.Zero(t, sockets[0].Waiting)
}

// What a proxy captures and then can't send, or takes and has to drop, counts where
// it went.
func TestProxiedMessagesThatAreDroppedAreCounted(t *testing.T) {
	p := newProxied(t, PULL, ROUTER, PUSH, DEALER).withCapture(t, PUSH, PULL)
	require.NoError(t, p.back.SetRouterMandatory(1))
	_, err := p.sender.SendMessage("nobody", "x")
	require.NoError(t, err)
	p.run(t)
	require.Equal(t, EHOSTUNREACH, waitFor(t, "Proxy", p.ended))
	assert.Equal(t, [2]uint64{0, 1}, counted(t, p.front))
	assert.Equal(t, [2]uint64{0, 0}, counted(t, p.back))
	assert.Equal(t, [2]uint64{1, 0}, counted(t, p.capture))
}

// counted returns the messages that the socket has accepted and received.
func counted(t *testing.T, soc *Socket) [2]uint64 {
	t.Helper()
	require.NoError(t, soc.s.lock())
	defer soc.s.unlock(0)
	info := soc.s.infoLocked()
	return [2]uint64{info.Accepted, info.Received}
}

// A message that is put back is received when the program receives it.
func TestMessageInHandIsCountedOnce(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	full := newSocket(t, p.ctx, PUSH) // nobody takes anything
	p.back = full
	_, err := p.sender.SendMessage("two", "parts")
	require.NoError(t, err)
	p.run(t)
	require.Eventually(t, func() bool { return p.ctx.Sockets()[4].Waiting.Polls == 1 }, limit, time.Millisecond)
	assert.Zero(t, counted(t, p.front))
	p.stop()
	require.ErrorIs(t, waitFor(t, "Proxy", p.ended), context.Canceled)
	assert.Zero(t, counted(t, p.front))
	for i := range 2 {
		_, err := p.front.Recv(DONTWAIT)
		require.NoError(t, err)
		assert.Equal(t, [2]uint64{0, uint64(i)}, counted(t, p.front))
	}
}

func TestWaitingIsCounted(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, DEALER)
	errs := make(chan error, 10)
	for range 3 {
		go func() { _, err := soc.Recv(0); errs <- err }()
	}
	for range 2 {
		go func() { _, err := soc.Send("x", 0); errs <- err }()
	}
	poller := NewPoller()
	poller.Add(soc, POLLIN)
	poller.Add(soc, POLLIN) // again
	for range 2 {
		go func() { _, err := poller.Poll(-1); errs <- err }()
	}
	reactor := NewReactor()
	reactor.AddSocket(soc, POLLIN, func(State) error { return nil })
	go func() { errs <- reactor.Run(-1) }()
	want := Waiting{Receives: 3, Sends: 2, Polls: 3}
	require.Eventually(t, func() bool { return ctx.Sockets()[0].Waiting == want }, limit, time.Millisecond, "%v", ctx.Sockets())
	assert.Equal(t, "3 receives, 2 sends, 3 polls", want.String())
	assert.Equal(t, "1 poll", Waiting{Polls: 1}.String())
	assert.Empty(t, Waiting{}.String())
	require.NoError(t, ctx.Close())
	for range 8 {
		require.ErrorIs(t, waitFor(t, "a call", errs), ETERM)
	}
	assert.Equal(t, want, ctx.Report().Sockets[0].Waiting)
}
