package zmqsafe

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// stalledPeer is a peer that doesn't read: a socket that sends it a large
// message is in the middle of that until the peer ends.
type stalledPeer struct {
	t    *testing.T
	typ  Type // of the peer
	conn net.Conn
}

// accept waits for a socket to connect.
func (p *stalledPeer) accept(l net.Listener) {
	conn, err := l.Accept()
	require.NoError(p.t, err)
	require.NoError(p.t, l.Close())
	p.greet(conn)
}

// greet does the handshake of ZMTP 3.0.
func (p *stalledPeer) greet(conn net.Conn) {
	require.NoError(p.t, conn.SetDeadline(time.Now().Add(limit)))
	p.conn = conn
	greeting := make([]byte, 64)
	greeting[0], greeting[9], greeting[10] = 0xff, 0x7f, 3
	copy(greeting[12:], "NULL")
	typ := p.typ.String()
	body := append([]byte("\x05READY\x0bSocket-Type"), binary.BigEndian.AppendUint32(nil, uint32(len(typ)))...)
	body = append(body, typ...)
	_, err := conn.Write(append(append(greeting, 4, byte(len(body))), body...))
	require.NoError(p.t, err)

	p.read(len(greeting))
	header := p.read(2)
	p.read(int(header[1]))
}

func (p *stalledPeer) read(n int) []byte {
	b := make([]byte, n)
	_, err := io.ReadFull(p.conn, b)
	require.NoError(p.t, err)
	return b
}

// end ends the peer as the end of its process would.
func (p *stalledPeer) end() { _ = p.conn.Close() }

// littleRoom makes a network connection take little that nobody reads.
func littleRoom(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
}

// parts is a message that fills no pipe, but every connection.
var parts = func() (parts []any) {
	for range 60 {
		parts = append(parts, strings.Repeat("x", 10_000))
	}
	return parts
}()

// sendingTo returns a socket of a type that is in the middle of sending parts
// to peer, and the endpoint that it has bound or connected.
func sendingTo(t *testing.T, ctx *Context, typ Type, network string, bind bool) (soc *Socket, peer *stalledPeer, endpoint string) {
	soc = newSocket(t, ctx, typ)
	require.NoError(t, soc.SetSndbuf(4096))
	peer = &stalledPeer{t: t, typ: map[Type]Type{PUSH: PULL, DEALER: ROUTER, PAIR: PAIR}[typ]}
	scheme, address := "tcp://", "127.0.0.1:0"
	if network == "unix" {
		scheme, address = "ipc://", filepath.Join(t.TempDir(), "s")
	}
	if bind {
		require.NoError(t, soc.Bind(strings.Replace(scheme+address, ":0", ":*", 1)))
		endpoint, _ = soc.GetLastEndpoint()
		dialer := net.Dialer{Control: littleRoom}
		conn, err := dialer.Dial(network, strings.TrimPrefix(endpoint, scheme))
		require.NoError(t, err)
		peer.greet(conn)
	} else {
		config := net.ListenConfig{Control: littleRoom}
		l, err := config.Listen(context.Background(), network, address)
		require.NoError(t, err)
		endpoint = scheme + l.Addr().String()
		require.NoError(t, soc.Connect(endpoint))
		peer.accept(l)
	}
	_, err := soc.SendMessage(parts...)
	require.NoError(t, err)
	peer.read(1)
	return soc, peer, endpoint
}

// TestLingerOfZeroInTheMiddleOfAMessage ends a connection on both sides at
// once. libzmq aborts the process if it drops the rest of a message then.
func TestLingerOfZeroInTheMiddleOfAMessage(t *testing.T) {
	if !isChild(t) {
		out, err := runChild(t, LingerVariable+"=drop")
		require.NoError(t, err, "%s", out)
		return
	}
	lingerFloor = linger.MustFor(time.Second) // the usual one is too short for a busy system
	done, cancel := context.WithCancel(context.Background())
	cancel()
	var closing sync.WaitGroup // at the end, together: each takes as long as the floor
	defer closing.Wait()
	cases := map[string]struct {
		options []Option
		linger  time.Duration // of the socket, if 0 or more
		blocky  bool
		close   func(ctx *Context, soc *Socket, endpoint string) error
	}{
		"the environment": {linger: -1, close: func(_ *Context, soc *Socket, _ string) error { return soc.Close() }},
		"WithLinger": {
			options: []Option{WithLinger(linger.Drop)}, linger: -1,
			close: func(_ *Context, soc *Socket, _ string) error { return soc.Close() },
		},
		"SetBlocky": {
			options: []Option{WithLinger(linger.Default)}, linger: -1, blocky: true,
			close: func(_ *Context, soc *Socket, _ string) error { return soc.Close() },
		},
		"SetLinger to 1 ms": {linger: time.Millisecond, close: func(_ *Context, soc *Socket, _ string) error { return soc.Close() }},
		"the context":       {linger: 0, close: func(ctx *Context, _ *Socket, _ string) error { go ctx.Close(); return nil }},
		"a deadline that is over": {linger: time.Second, close: func(ctx *Context, _ *Socket, _ string) error {
			_ = ctx.Shutdown(done)
			return nil
		}},
		"Disconnect": {linger: 0, close: func(_ *Context, soc *Socket, endpoint string) error { return soc.Disconnect(endpoint) }},
	}
	for name, c := range cases {
		for _, network := range []string{"tcp", "unix"} {
			for _, typ := range []Type{PUSH, DEALER, PAIR} {
				t.Run(strings.Join([]string{name, network, typ.String()}, " "), func(t *testing.T) {
					ctx, err := NewContextWith(append(c.options, WithCloseTimeout(limit))...)
					require.NoError(t, err)
					defer closing.Go(func() { _ = ctx.Close() })
					if c.blocky {
						require.NoError(t, ctx.SetBlocky(false))
					}
					soc, peer, endpoint := sendingTo(t, ctx, typ, network, false)
					if c.linger >= 0 {
						require.NoError(t, soc.SetLinger(c.linger))
					}
					require.NoError(t, c.close(ctx, soc, endpoint))
					peer.end()
				})
			}
		}
	}
}

// TestLingerOfLibzmq asks libzmq itself which LINGER it has.
func TestLingerOfLibzmq(t *testing.T) {
	ctx := newContext(t, WithLinger(linger.Drop))
	const floor = 100 * time.Millisecond
	for _, typ := range []Type{REQ, REP, DEALER, ROUTER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR, STREAM} {
		least := floor
		if typ == SUB || typ == XSUB || typ == PULL {
			least = 0
		}
		soc := newSocket(t, ctx, typ)
		check := func(set, want time.Duration) {
			t.Helper()
			inLibzmq, err := soc.s.raw.GetLinger()
			require.NoError(t, err)
			assert.Equal(t, want, inLibzmq, "%v", typ)
			got, err := soc.GetLinger()
			require.NoError(t, err)
			assert.Equal(t, set, got, "%v", typ)
			said, _ := ctx.Sockets()[len(ctx.Sockets())-1].Linger.Duration()
			assert.Equal(t, max(set, 0), said, "%v", typ)
		}
		check(0, least)
		for _, d := range []time.Duration{-1, 0, time.Millisecond, floor - time.Millisecond, floor, floor + time.Millisecond, time.Second} {
			require.NoError(t, soc.SetLinger(d))
			if d < 0 {
				check(d, d)
			} else {
				check(d, max(d, least))
			}
		}
	}
	internal, err := ctx.c.newInternal(PAIR, caller(0))
	require.NoError(t, err)
	d, err := internal.raw.GetLinger()
	require.NoError(t, err)
	assert.Zero(t, d, "an internal socket")
	internal.mark(ErrorSocketClosed)
	_, err = internal.close(byProgram)
	require.NoError(t, err)
}

// TestManySocketsThatDropAtOnce: the sockets of a context linger together, and
// only those that have sent a message in parts.
func TestManySocketsThatDropAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		typ     Type
		send    func(soc *Socket) error
		floored bool
	}{
		"nothing":     {PUSH, func(*Socket) error { return nil }, false},
		"one part":    {PUSH, func(soc *Socket) error { _, err := soc.SendMessage("a"); return err }, false},
		"two parts":   {PUSH, func(soc *Socket) error { _, err := soc.SendMessage("a", "b"); return err }, true},
		"half":        {DEALER, func(soc *Socket) error { _, err := soc.Send("a", SNDMORE); return err }, true},
		"a request":   {REQ, func(soc *Socket) error { _, err := soc.Send("a", 0); return err }, true},
		"no reply":    {REP, func(soc *Socket) error { return nil }, true},
		"nothing yet": {XSUB, func(soc *Socket) error { _, err := soc.SendMessage("a", "b"); return err }, false},
	} {
		ctx, err := NewContextWith(WithLinger(linger.Drop), WithCloseTimeout(limit))
		require.NoError(t, err)
		for range 50 {
			soc := newSocket(t, ctx, c.typ)
			require.NoError(t, soc.Connect("tcp://127.0.0.1:1")) // nobody listens there
			require.NoError(t, c.send(soc), name)
		}
		require.NoError(t, ctx.Close())
		r := ctx.Report()
		require.Len(t, r.Sockets, 50)
		for _, s := range r.Sockets {
			assert.Equal(t, linger.Drop, s.EffectiveLinger, name)
			assert.Equal(t, c.floored, s.floored, name)
			assert.Equal(t, Gone, s.Outcome, "%s: nothing was promised", name)
		}
	}
}

// TestLingerThatTheFloorExtends: a socket that libzmq lets go of between its
// own linger and the floor has sent everything.
func TestLingerThatTheFloorExtends(t *testing.T) {
	closed := time.Now()
	for _, c := range []struct {
		linger  time.Duration
		floored bool
		until   time.Duration
	}{
		{10 * time.Millisecond, false, 5 * time.Millisecond},
		{10 * time.Millisecond, true, 95 * time.Millisecond},
		{0, false, 0},
		{0, true, 95 * time.Millisecond},
		{time.Second, true, 995 * time.Millisecond},
	} {
		s := ClosedSocket{EffectiveLinger: linger.MustFor(c.linger), Closed: closed, floored: c.floored}
		end, finite := s.lingersUntil()
		assert.True(t, finite)
		assert.Equal(t, c.until, end.Sub(closed), "%+v", c)
	}
}
