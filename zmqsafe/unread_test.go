package zmqsafe

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// unreadCase is a socket with messages that have arrived and are not received.
type unreadCase struct {
	name        string
	typ, sender Type
	rcvhwm      int                                     // if not the default
	leave       func(t *testing.T, soc, sender *Socket) // default: two messages, three parts each
	want        uint64
	more        bool
}

const noLimit = -1 // an rcvhwm

// arrives sends a message of several parts, and waits until it has arrived.
func arrives(t *testing.T, soc, sender *Socket, n int) {
	t.Helper()
	for range n {
		_, err := sender.SendMessage("a", "b", "c")
		require.NoError(t, err)
	}
	ready(t, soc)
}

// ready waits until something can be received. Over inproc all that was sent
// can then be.
func ready(t *testing.T, soc *Socket) {
	t.Helper()
	require.Eventually(t, func() bool {
		events, err := soc.GetEvents()
		return err == nil && events&POLLIN != 0
	}, limit, time.Millisecond)
}

var unreadCases = []unreadCase{
	{name: "PULL", typ: PULL, sender: PUSH, want: 2},
	{name: "DEALER", typ: DEALER, sender: DEALER, want: 2},
	{name: "ROUTER", typ: ROUTER, sender: DEALER, want: 2},
	{name: "PAIR", typ: PAIR, sender: PAIR, want: 2},
	{name: "SUB", typ: SUB, sender: XPUB, want: 2},
	{name: "XSUB", typ: XSUB, sender: XPUB, want: 2},
	{name: "REP", typ: REP, sender: DEALER, want: 1, more: true, leave: func(t *testing.T, soc, sender *Socket) {
		for range 3 {
			_, err := sender.SendMessage("", "request")
			require.NoError(t, err)
		}
		ready(t, soc)
	}},
	{name: "REP that owes a reply", typ: REP, sender: DEALER, leave: func(t *testing.T, soc, sender *Socket) {
		_, err := sender.SendMessage("", "request")
		require.NoError(t, err)
		_, err = soc.Recv(0)
		require.NoError(t, err)
	}},
	{name: "REQ", typ: REQ, sender: ROUTER, want: 1, leave: func(t *testing.T, soc, sender *Socket) {
		_, err := soc.Send("request", 0)
		require.NoError(t, err)
		request, err := sender.RecvMessage(0)
		require.NoError(t, err)
		_, err = sender.SendMessage(request)
		require.NoError(t, err)
		ready(t, soc)
	}},
	{name: "REQ without a request", typ: REQ, sender: ROUTER, leave: func(*testing.T, *Socket, *Socket) {}},
	{name: "nothing", typ: PULL, sender: PUSH, leave: func(*testing.T, *Socket, *Socket) {}},
	{name: "all received", typ: PULL, sender: PUSH, leave: func(t *testing.T, soc, sender *Socket) {
		arrives(t, soc, sender, 1)
		_, err := soc.RecvMessage(0)
		require.NoError(t, err)
	}},
	{name: "one received in part", typ: PULL, sender: PUSH, want: 2, leave: func(t *testing.T, soc, sender *Socket) {
		arrives(t, soc, sender, 2)
		_, err := soc.Recv(0)
		require.NoError(t, err)
	}},
	{name: "one too large for its buffer", typ: PULL, sender: PUSH, want: 2, leave: func(t *testing.T, soc, sender *Socket) {
		arrives(t, soc, sender, 2)
		_, err := soc.RecvInto(nil, 0)
		require.Equal(t, EMSGSIZE, AsErrno(err))
	}},
	{name: "the last part too large", typ: PULL, sender: PUSH, want: 2, leave: func(t *testing.T, soc, sender *Socket) {
		arrives(t, soc, sender, 2)
		for range 2 {
			_, err := soc.Recv(0)
			require.NoError(t, err)
		}
		_, err := soc.RecvInto(nil, 0)
		require.Equal(t, EMSGSIZE, AsErrno(err))
	}},
	{name: "put back by a proxy", typ: PULL, sender: PUSH, want: 4, leave: func(t *testing.T, soc, sender *Socket) {
		arrives(t, soc, sender, 2)
		putBack(t, soc, "d", "e")
		putBack(t, soc, "f")
	}},
	{name: "in flight in a proxy", typ: PULL, sender: PUSH, want: 2, leave: func(t *testing.T, soc, sender *Socket) {
		nobody := newSocket(t, soc.ctx, PUSH)
		done := make(chan error, 1)
		go func() { done <- Proxy(soc, nobody, nil) }()
		t.Cleanup(func() { assert.Error(t, waitFor(t, "Proxy", done)) })
		arrives(t, soc, sender, 2)
		require.Eventually(t, func() bool {
			require.NoError(t, soc.s.Lock())
			defer soc.s.Unlock(0)
			return soc.s.inFlight == 1
		}, limit, time.Millisecond)
	}},
	{name: "given back by a proxy", typ: PULL, sender: PUSH, want: 2, leave: func(t *testing.T, soc, sender *Socket) {
		nobody := newSocket(t, soc.ctx, PUSH)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- ProxyContext(ctx, soc, nobody, nil) }()
		arrives(t, soc, sender, 2)
		require.Eventually(t, func() bool {
			require.NoError(t, soc.s.Lock())
			defer soc.s.Unlock(0)
			return soc.s.inFlight == 1
		}, limit, time.Millisecond)
		cancel()
		assert.Equal(t, context.Canceled, waitFor(t, "ProxyContext", done))
	}},
	{name: "half of the queue", typ: PULL, sender: PUSH, want: 5, more: true, rcvhwm: 10, leave: func(t *testing.T, soc, sender *Socket) {
		arrives(t, soc, sender, 6)
	}},
	{name: "just half of the queue", typ: PULL, sender: PUSH, want: 5, rcvhwm: 10, leave: func(t *testing.T, soc, sender *Socket) {
		arrives(t, soc, sender, 5)
	}},
	{name: "a queue of one", typ: PULL, sender: PUSH, want: 1, more: true, rcvhwm: 1, leave: func(t *testing.T, soc, sender *Socket) {
		arrives(t, soc, sender, 2)
	}},
	{name: "a queue without a limit", typ: PULL, sender: PUSH, want: 1000, more: true, rcvhwm: noLimit, leave: func(t *testing.T, soc, sender *Socket) {
		require.NoError(t, soc.Connect(endpointOf(t, sender)))
		arrives(t, soc, sender, 2200) // shared by two connections
	}},
	{name: "events of a monitor", typ: PULL, sender: PUSH, leave: func(t *testing.T, soc, sender *Socket) {
		early, late := newSocket(t, soc.ctx, PAIR), newSocket(t, soc.ctx, PAIR)
		for i, monitored := range []*Socket{soc, sender} {
			address := fmt.Sprintf("inproc://%p", monitored)
			if i == 0 {
				require.NoError(t, early.Connect(address))
			}
			require.NoError(t, monitored.Monitor(address, EVENT_ALL))
			if i == 1 {
				require.NoError(t, late.Connect(address))
			}
			require.NoError(t, monitored.Bind("tcp://127.0.0.1:*"))
		}
		ready(t, early)
		ready(t, late)
	}},
	{name: "an XPUB's subscriptions", typ: XPUB, sender: XSUB, leave: func(t *testing.T, soc, sender *Socket) {
		sendText(t, sender, "\x01a")
		ready(t, soc)
	}},
}

func endpointOf(t *testing.T, soc *Socket) string {
	t.Helper()
	endpoint, err := soc.GetLastEndpoint()
	require.NoError(t, err)
	return endpoint
}

// make makes the sockets of the case. This is where the program made them.
func (c unreadCase) make(t *testing.T, ctx *Context) *Socket {
	t.Helper()
	name := "inproc://" + strings.ReplaceAll(t.Name(), "/", "-")
	soc, sender := newSocket(t, ctx, c.typ), newSocket(t, ctx, c.sender)
	require.NoError(t, sender.SetRcvtimeo(limit))
	if c.rcvhwm != 0 {
		require.NoError(t, soc.SetRcvhwm(max(c.rcvhwm, 0)))
	}
	require.NoError(t, sender.Bind(name))
	require.NoError(t, soc.Connect(name))
	switch c.typ {
	case SUB:
		require.NoError(t, soc.SetSubscribe(""))
	case XSUB:
		sendText(t, soc, "\x01")
	}
	if c.sender == XPUB {
		_, err := sender.Recv(0) // the subscription
		require.NoError(t, err)
	}
	if c.leave == nil {
		arrives(t, soc, sender, 2)
	} else {
		c.leave(t, soc, sender)
	}
	return soc
}

// countsAll gives counting the time that a busy system takes.
func countsAll(t *testing.T) {
	socket, all := countSocket, countContext
	countSocket, countContext = limit, limit
	t.Cleanup(func() { countSocket, countContext = socket, all })
}

func TestUnreadAtTheEndOfTheContext(t *testing.T) {
	countsAll(t)
	for _, c := range unreadCases {
		t.Run(c.name, func(t *testing.T) {
			var log syncBuffer
			ctx := newContext(t, WithLogger(log.logger()))
			soc := c.make(t, ctx)
			require.NoError(t, ctx.Close())

			r := ctx.Report()
			i := slices.IndexFunc(r.Sockets, func(s ClosedSocket) bool { return s.Type == c.typ && s.Created.Equal(soc.s.created) })
			require.GreaterOrEqual(t, i, 0)
			assert.Equal(t, c.want, r.Sockets[i].Unread)
			assert.Equal(t, c.more, r.Sockets[i].UnreadAtLeast)
			c.checkAccount(t, r)
			if c.want == 0 || c.typ == SUB || c.typ == XSUB {
				assert.Empty(t, log.lines(t), "no warning")
				assert.NotContains(t, r.String(), "lost")
				return
			}
			line := log.line(t, unreadLost)
			assert.Len(t, log.lines(t), 1, "one warning")
			assert.Equal(t, float64(c.want), line["messages"])
			assert.Equal(t, c.more, line["at_least"])
			assert.Contains(t, line["sockets"], c.typ.String()+" socket made at zmqsafe/main_test.go:")
			assert.Contains(t, r.String(), fmt.Sprintf("1 socket had unread messages, %s, which are lost", atLeast(c.want, c.more)))
		})
	}
}

// checkAccount checks the sums of a report.
func (c unreadCase) checkAccount(t *testing.T, r Report) {
	t.Helper()
	text, err := json.Marshal(r)
	require.NoError(t, err)
	if c.want == 0 {
		assert.Empty(t, r.Unread)
		assert.NotContains(t, string(text), `"unread"`)
		return
	}
	require.Len(t, r.Unread, 1)
	u := r.Unread[0]
	assert.Contains(t, u.Site, "zmqsafe/main_test.go:")
	assert.Equal(t, Unread{c.typ, u.Site, 1, c.want, c.more}, u)
	assert.Contains(t, string(text), fmt.Sprintf(`"unread":[{"type":"%v","made_at":"%s","sockets":1,"messages":%d`, c.typ, u.Site, c.want))
}

// A socket that the program closes is in the account, too, and the warning
// comes once for the line that made it.
func TestUnreadAtTheCloseOfASocket(t *testing.T) {
	countsAll(t)
	var log syncBuffer
	ctx := newContext(t, WithLogger(log.logger()))
	for range 3 {
		push := newSocket(t, ctx, PUSH)
		require.NoError(t, push.Bind("inproc://"+push.String()))
		pull, err := ctx.NewSocket(PULL)
		require.NoError(t, err)
		require.NoError(t, pull.Connect(endpointOf(t, push)))
		arrives(t, pull, push, 2)
		require.NoError(t, pull.Close())
		require.NoError(t, pull.Close(), "again")
	}
	open := ctx.Report()
	assert.Zero(t, open.Began)
	const lost = "; 3 sockets had unread messages, 6, which are lost"
	assert.Equal(t, "the context isn't closed"+lost, open.String())
	line := log.line(t, unreadLost)
	assert.Contains(t, line["made_at"], "zmqsafe/unread_test.go:")
	assert.Equal(t, "PULL", line["type"])
	assert.Equal(t, 2.0, line["messages"])
	require.NoError(t, ctx.Close())
	assert.Len(t, log.lines(t), 1, "not once more at the end")
	r := ctx.Report()
	assert.Contains(t, r.String(), lost)
	require.Len(t, r.Unread, 1)
	assert.Equal(t, open.Unread, r.Unread)
	assert.Equal(t, Unread{PULL, line["made_at"].(string), 3, 6, false}, r.Unread[0])
	assert.Equal(t, "3 PULL sockets made at "+r.Unread[0].Site+": 6 unread", r.Unread[0].String())
	log.has(t, `"unread":"3 PULL sockets made at`)
}

func TestUnreadIsNotCountedWhenTurnedOff(t *testing.T) {
	var log syncBuffer
	ctx := newContext(t, WithUnreadCount(false), WithLogger(log.logger()))
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	arrives(t, pull, push, 1)
	require.NoError(t, ctx.Close())
	assert.Empty(t, ctx.Report().Unread)
	assert.Empty(t, log.lines(t))
}

// However little time is left, a socket with messages is told from one without.
func TestUnreadIsKnownWithoutTime(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	idle := newSocket(t, ctx, PULL)
	arrives(t, pull, push, 100)
	for _, c := range []struct {
		soc  *Socket
		want uint64
		more bool
	}{{pull, 1, true}, {idle, 0, false}} {
		ctx.c.unread.spent = countContext
		require.NoError(t, c.soc.s.Lock())
		unread := c.soc.s.countUnread(withContext, nil)
		c.soc.s.Unlock(0)
		if c.want == 0 {
			assert.Nil(t, unread)
		} else {
			require.NotNil(t, unread)
			assert.Equal(t, c.want, unread.Messages)
			assert.Equal(t, c.more, unread.AtLeast)
		}
	}
	assert.GreaterOrEqual(t, ctx.c.unread.spent, countContext)
	ctx.c.unread.spent = 0
	assert.Equal(t, countSocket, ctx.c.mayCount(time.Now()))
	ctx.c.deadline = time.Now().Add(100 * time.Millisecond)
	assert.LessOrEqual(t, ctx.c.mayCount(time.Now()), 5*time.Millisecond, "the rest is for delivery")
	ctx.c.deadline = time.Time{}
}
