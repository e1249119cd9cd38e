package usage_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	zmq4 "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// through is a steerable proxy with all that it can have, and who uses it.
type through struct {
	ctx                           *zmq4.Context
	sockets                       []*zmq4.Socket // all that there are
	sender, front, back, receiver *zmq4.Socket
	capture, captured             *zmq4.Socket
	control, commander            *zmq4.Socket
	ended                         chan error
}

// newThrough makes the sockets; sender, front, back and receiver are of types.
func newThrough(t *testing.T, types [4]zmq4.Type) *through {
	t.Helper()
	p := &through{ctx: newContext(t), ended: make(chan error, 1)}
	p.front = p.open(t, types[1], "@inproc://front")
	p.back = p.open(t, types[2], "@inproc://back")
	p.captured = p.open(t, zmq4.PULL, "@inproc://captured")
	p.commander = p.open(t, zmq4.PAIR, "@inproc://commander")
	p.sender = p.open(t, types[0])
	require.NoError(t, p.sender.SetIdentity("me"))
	require.NoError(t, p.sender.Connect("inproc://front"))
	p.receiver = p.open(t, types[3], ">inproc://back")
	p.capture = p.open(t, zmq4.PUSH, ">inproc://captured")
	p.control = p.open(t, zmq4.PAIR, ">inproc://commander")
	return p
}

func (p *through) open(t *testing.T, typ zmq4.Type, endpoints ...string) *zmq4.Socket {
	t.Helper()
	soc := open(t, p.ctx, typ, endpoints...)
	p.sockets = append(p.sockets, soc)
	return soc
}

func (p *through) run() *through {
	go func() { p.ended <- zmq4.ProxySteerable(p.front, p.back, p.capture, p.control) }()
	return p
}

// terminate ends the proxy by command.
func (p *through) terminate(t *testing.T) {
	t.Helper()
	send(t, p.commander, "TERMINATE")
	start(t, func() { assert.NoError(t, <-p.ended) })()
	p.close(t)
}

func (p *through) close(t *testing.T) {
	t.Helper()
	for _, soc := range p.sockets {
		require.NoError(t, soc.SetLinger(0))
	}
	closeAll(t, p.ctx, p.sockets...)
}

// statistics asks the proxy. When it has answered it has obeyed all commands.
func (p *through) statistics(t *testing.T) (numbers []uint64) {
	t.Helper()
	send(t, p.commander, "STATISTICS")
	start(t, func() {
		parts, err := p.commander.RecvMessageBytes(0)
		assert.NoError(t, err)
		for _, part := range parts {
			numbers = append(numbers, binary.NativeEndian.Uint64(part))
		}
	})()
	return numbers
}

// needsSteering ends a test on raw with libzmq 4.3.5 or later, which has a
// zmq_proxy_steerable of its own: handle_control in proxy.cpp of 4.3.5 pauses
// at RESUME, goes on at PAUSE, and answers each command with an empty message;
// forward counts parts for messages.
func needsSteering(t *testing.T) {
	t.Helper()
	if _, _, patch := zmq4.Version(); patch >= 5 {
		needsGuard(t, "zmq_proxy_steerable of libzmq 4.3.5 pauses at RESUME, and that and later ones count parts")
	}
}

func send(t *testing.T, soc *zmq4.Socket, parts ...string) {
	t.Helper()
	_, err := soc.SendMessage(parts)
	require.NoError(t, err)
}

func requireNext(t *testing.T, soc *zmq4.Socket, want ...string) {
	t.Helper()
	start(t, func() {
		parts, err := soc.RecvMessage(0)
		assert.NoError(t, err)
		if !slices.Equal(want, parts) {
			assert.Equal(t, short(want), short(parts))
		}
	})()
}

// requireCaptured is requireNext of captured but for commands, which raw
// captures as well.
func (p *through) requireCaptured(t *testing.T, want ...string) {
	t.Helper()
	start(t, func() {
		for {
			parts, err := p.captured.RecvMessage(0)
			assert.NoError(t, err)
			if len(parts) == 1 && slices.Contains([]string{"PAUSE", "RESUME", "STATISTICS"}, parts[0]) {
				continue
			}
			if !slices.Equal(want, parts) {
				assert.Equal(t, short(want), short(parts))
			}
			return
		}
	})()
}

func requireNothing(t *testing.T, soc *zmq4.Socket) {
	t.Helper()
	require.NoError(t, soc.SetRcvtimeo(30*time.Millisecond))
	parts, err := soc.RecvMessage(0)
	require.Equal(t, zmq4.Errno(syscall.EAGAIN), zmq4.AsErrno(err), "%q", parts)
	require.NoError(t, soc.SetRcvtimeo(-1))
}

// short keeps the reports of failures readable.
func short(parts []string) string {
	text := fmt.Sprintf("%d parts: %q", len(parts), parts)
	return text[:min(len(text), 200)]
}

func size(parts []string) (n uint64) {
	for _, part := range parts {
		n += uint64(len(part))
	}
	return n
}

// What goes in comes out, is captured in this order, and is counted.
func TestUsageProxyMoves(t *testing.T) {
	needsSteering(t)
	long := strings.Repeat("x", 100_000)
	messages := [][]string{
		{"a"},
		{""},
		{"", ""},
		{"a", "", "b"},
		{long, long},
		{"", long},
		slices.Repeat([]string{"p"}, 10_000),
		{"last"},
	}
	for name, c := range map[string]struct {
		types    [4]zmq4.Type
		envelope []string // what the proxy sees before the message
		received int      // how much of it receiver sees, too
		replies  bool
	}{
		"stream":        {[4]zmq4.Type{zmq4.PUSH, zmq4.PULL, zmq4.PUSH, zmq4.PULL}, nil, 0, false},
		"pairs":         {[4]zmq4.Type{zmq4.PAIR, zmq4.PAIR, zmq4.PAIR, zmq4.PAIR}, nil, 0, true},
		"dealers":       {[4]zmq4.Type{zmq4.DEALER, zmq4.DEALER, zmq4.DEALER, zmq4.DEALER}, nil, 0, true},
		"mixed":         {[4]zmq4.Type{zmq4.PUSH, zmq4.PULL, zmq4.DEALER, zmq4.DEALER}, nil, 0, false},
		"router":        {[4]zmq4.Type{zmq4.DEALER, zmq4.ROUTER, zmq4.DEALER, zmq4.DEALER}, []string{"me"}, 1, true},
		"requests":      {[4]zmq4.Type{zmq4.REQ, zmq4.ROUTER, zmq4.DEALER, zmq4.REP}, []string{"me", ""}, 0, true},
		"publish, pull": {[4]zmq4.Type{zmq4.PUSH, zmq4.PULL, zmq4.PUB, zmq4.SUB}, nil, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := newThrough(t, c.types)
			if c.types[3] == zmq4.SUB {
				require.NoError(t, p.receiver.SetSubscribe(""))
			}
			p.run()
			var there, thereBytes, back, backBytes uint64
			for _, message := range messages {
				seen := slices.Concat(c.envelope, message)
				received := slices.Concat(c.envelope[:c.received], message)
				send(t, p.sender, message...)
				there, thereBytes = there+1, thereBytes+size(seen)
				requireNext(t, p.receiver, received...)
				p.requireCaptured(t, seen...)
				if c.replies {
					send(t, p.receiver, received...)
					back, backBytes = back+1, backBytes+size(seen)
					requireNext(t, p.sender, message...)
					p.requireCaptured(t, seen...)
				}
			}
			require.Equal(t, []uint64{
				there, thereBytes, back, backBytes, back, backBytes, there, thereBytes,
			}, p.statistics(t))
			p.terminate(t)
		})
	}
}

// Subscriptions go the other way, as messages, and are captured.
func TestUsageProxySubscriptions(t *testing.T) {
	needsSteering(t)
	p := newThrough(t, [4]zmq4.Type{zmq4.XPUB, zmq4.XSUB, zmq4.XPUB, zmq4.SUB}).run()
	require.NoError(t, p.receiver.SetSubscribe("a"))
	p.requireCaptured(t, "\x01a")
	requireNext(t, p.sender, "\x01a")
	send(t, p.sender, "a", "text")
	p.requireCaptured(t, "a", "text")
	requireNext(t, p.receiver, "a", "text")
	require.NoError(t, p.receiver.SetUnsubscribe("a"))
	p.requireCaptured(t, "\x00a")
	requireNext(t, p.sender, "\x00a")
	require.Equal(t, []uint64{1, 5, 2, 4, 2, 4, 1, 5}, p.statistics(t))
	p.terminate(t)
}

// PAUSE holds back what comes, in both directions, and RESUME lets it go on.
func TestUsageProxyPause(t *testing.T) {
	needsSteering(t)
	p := newThrough(t, [4]zmq4.Type{zmq4.DEALER, zmq4.DEALER, zmq4.DEALER, zmq4.DEALER})
	p.run()
	for range 3 {
		before := p.statistics(t)
		for range 2 { // twice is once
			send(t, p.commander, "PAUSE")
		}
		require.Equal(t, before, p.statistics(t))
		send(t, p.sender, "there")
		send(t, p.receiver, "back")
		requireNothing(t, p.receiver)
		requireNothing(t, p.sender)
		require.Equal(t, before, p.statistics(t))
		send(t, p.commander, "RESUME")
		requireNext(t, p.receiver, "there")
		requireNext(t, p.sender, "back")
		p.requireCaptured(t, "there")
		p.requireCaptured(t, "back")
	}
	require.Equal(t, []uint64{3, 15, 3, 12, 3, 12, 3, 15}, p.statistics(t))
	send(t, p.commander, "PAUSE") // it ends anyway
	p.terminate(t)
}

// One socket on both sides gets back what it sends; one way is counted.
func TestUsageProxyOfOneSocket(t *testing.T) {
	needsSteering(t)
	p := newThrough(t, [4]zmq4.Type{zmq4.DEALER, zmq4.DEALER, zmq4.DEALER, zmq4.DEALER})
	p.back = p.front
	p.run()
	for i := range uint64(10) {
		send(t, p.sender, "echo", "x")
		p.requireCaptured(t, "echo", "x")
		requireNext(t, p.sender, "echo", "x")
		n := i + 1
		require.Equal(t, []uint64{n, 5 * n, 0, 0, 0, 0, n, 5 * n}, p.statistics(t))
	}
	p.terminate(t)
}

// A side may be where copies go; raw mixes up parts then, so these have one.
func TestUsageProxyCapturesToItself(t *testing.T) {
	p := newThrough(t, [4]zmq4.Type{zmq4.DEALER, zmq4.DEALER, zmq4.DEALER, zmq4.DEALER})
	p.capture = p.front
	p.run()
	send(t, p.sender, "there")
	requireNext(t, p.receiver, "there")
	requireNext(t, p.sender, "there")
	send(t, p.receiver, "back")
	requireNext(t, p.sender, "back")
	requireNext(t, p.sender, "back")
	p.terminate(t)
}

// A message that the program has begun to receive, and one that it has begun to
// send, are made one.
func TestUsageProxyGoesOnWithAMessage(t *testing.T) {
	needsSteering(t)
	p := newThrough(t, [4]zmq4.Type{zmq4.PUSH, zmq4.PULL, zmq4.PUSH, zmq4.PULL})
	send(t, p.sender, "a", "b", "c")
	send(t, p.sender, "d")
	part, err := p.front.Recv(0)
	require.NoError(t, err)
	require.Equal(t, "a", part)
	_, err = p.back.Send("x", zmq4.SNDMORE)
	require.NoError(t, err)
	p.run()
	requireNext(t, p.receiver, "x", "b", "c")
	requireNext(t, p.receiver, "d")
	p.requireCaptured(t, "b", "c")
	p.requireCaptured(t, "d")
	require.Equal(t, []uint64{2, 3, 0, 0, 0, 0, 2, 3}, p.statistics(t))
	p.terminate(t)
}

// A STREAM socket on one side: a plain TCP client, and its messages.
func TestUsageProxyOfTCP(t *testing.T) {
	p := newThrough(t, [4]zmq4.Type{zmq4.PUSH, zmq4.PULL, zmq4.DEALER, zmq4.DEALER})
	p.front = p.open(t, zmq4.STREAM, "@tcp://127.0.0.1:*")
	address := strings.TrimPrefix(bound(t, p.front), ">tcp://")
	p.run()
	client, err := net.Dial("tcp", address)
	require.NoError(t, err)
	require.NoError(t, client.SetDeadline(time.Now().Add(patience)))
	parts, err := p.receiver.RecvMessage(0)
	require.NoError(t, err)
	require.Len(t, parts, 2)
	require.Empty(t, parts[1]) // connected
	_, err = client.Write([]byte("hello"))
	require.NoError(t, err)
	requireNext(t, p.receiver, parts[0], "hello")
	send(t, p.receiver, parts[0], "bye")
	text := make([]byte, 3)
	_, err = io.ReadFull(client, text)
	require.NoError(t, err)
	require.Equal(t, "bye", string(text))
	require.NoError(t, client.Close())
	requireNext(t, p.receiver, parts[0], "") // disconnected
	p.terminate(t)
}

// What can't be sent ends the proxy.
func TestUsageProxyErrors(t *testing.T) {
	stream := [4]zmq4.Type{zmq4.PUSH, zmq4.PULL, zmq4.PUSH, zmq4.PULL}
	unroutable := [4]zmq4.Type{zmq4.PUSH, zmq4.PULL, zmq4.ROUTER, zmq4.DEALER}
	for name, c := range map[string]struct {
		types [4]zmq4.Type
		want  zmq4.Errno
		set   func(t *testing.T, p *through)
	}{
		"one socket that can't send": {stream, zmq4.ENOTSUP, func(_ *testing.T, p *through) {
			p.back = p.front
		}},
		"capture that can't send": {stream, zmq4.ENOTSUP, func(t *testing.T, p *through) {
			p.capture = p.open(t, zmq4.SUB)
		}},
		"capture that is to receive first": {stream, zmq4.EFSM, func(t *testing.T, p *through) {
			p.capture = p.open(t, zmq4.REP)
		}},
		"capture to nobody of that name": {stream, zmq4.EHOSTUNREACH, func(t *testing.T, p *through) {
			p.capture = p.open(t, zmq4.ROUTER)
			require.NoError(t, p.capture.SetRouterMandatory(1))
		}},
		"nobody of that name": {unroutable, zmq4.EHOSTUNREACH, func(t *testing.T, p *through) {
			require.NoError(t, p.back.SetRouterMandatory(1))
		}},
		"control that can't answer": {stream, zmq4.ENOTSUP, func(t *testing.T, p *through) {
			p.control = p.open(t, zmq4.PULL, "@inproc://control")
			send(t, p.open(t, zmq4.PUSH, ">inproc://control"), "STATISTICS")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newThrough(t, c.types)
			c.set(t, p)
			send(t, p.sender, "some", "text")
			p.run()
			start(t, func() { assert.Equal(t, c.want, zmq4.AsErrno(<-p.ended)) })()
			p.close(t)
		})
	}
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
