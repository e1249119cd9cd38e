package zmqsafe

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"runtime/trace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// newLogged makes a context that logs everything to the buffer.
func newLogged(t *testing.T, log *syncBuffer, options ...Option) *Context {
	t.Helper()
	handler := slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})
	return newContext(t, append([]Option{WithLinger(linger.Default), WithLogger(slog.New(handler))}, options...)...)
}

func TestReportOfACleanClose(t *testing.T) {
	var log syncBuffer
	ctx := newLogged(t, &log)
	assert.Equal(t, Report{}, ctx.Report())
	assert.Equal(t, "the context isn't closed", ctx.Report().String())
	pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
	for range 3 {
		_, err := push.SendMessage("two", "parts")
		require.NoError(t, err)
	}
	_, err := pull.RecvMessage(0)
	require.NoError(t, err)
	rep := newSocket(t, ctx, REP)
	got := make(chan error)
	go func() { _, err := rep.Recv(0); got <- err }()
	waitUntilBlocked(t, rep, POLLIN)
	before := time.Now()
	require.NoError(t, ctx.Close())
	require.Equal(t, ETERM, waitFor(t, "Recv", got))

	r := ctx.Report()
	assert.True(t, r.Done)
	assert.Empty(t, r.CloseError)
	assert.Zero(t, r.Unclosed)
	assert.Contains(t, r.Site, "zmqsafe/main_test.go:")
	assert.WithinDuration(t, before, r.Began, limit)
	assert.WithinDuration(t, r.Began.Add(limit), r.Deadline, time.Second)
	var steps []string
	var took time.Duration
	for _, s := range r.Steps {
		steps = append(steps, s.Name)
		took += s.Took
	}
	assert.Equal(t, []string{"wake", "zmq_close", "monitors and authentication", "zmq_ctx_term"}, steps)
	assert.LessOrEqual(t, took, r.Took)

	require.Len(t, r.Sockets, 3)
	s := r.Sockets[0] // the newest first
	assert.Equal(t, REP, s.Type)
	assert.Equal(t, Waiting{Receives: 1}, s.Waiting)
	assert.Empty(t, s.Endpoints)
	s = r.Sockets[1]
	assert.Equal(t, PUSH, s.Type)
	assert.Equal(t, uint64(3), s.Accepted)
	assert.Zero(t, s.Received)
	assert.Zero(t, s.Waiting)
	s = r.Sockets[2]
	assert.Equal(t, PULL, s.Type)
	assert.Zero(t, s.Accepted)
	assert.Equal(t, uint64(1), s.Received)
	for _, s := range r.Sockets {
		assert.Equal(t, Gone, s.Outcome)
		assert.Equal(t, linger.Default, s.Linger)
		assert.Equal(t, linger.Default, s.Lingers)
		assert.Contains(t, s.Site, "zmqsafe/main_test.go:")
		assert.True(t, s.Created.Before(s.Woken) && !s.Closed.Before(s.Woken) && !s.Gone.Before(s.Closed), "%+v", s)
	}
	assert.Empty(t, r.RanOut())
	assert.Empty(t, r.Holding())

	text := r.String()
	for _, want := range []string{r.Site, "closed in", "of 20s", "zmq_ctx_term", "PUSH", "tcp://127.0.0.1:", "1 receive", "gone"} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "lost")
	assert.Contains(t, log.String(), `"level":"DEBUG"`)
	assert.Contains(t, log.String(), `"report":{"context":`)
	assert.NotContains(t, log.String(), "WARN")
	log.reset()
}

func TestReportAsJSON(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, SUB)
	require.NoError(t, soc.Bind("inproc://"+t.Name()))
	require.NoError(t, ctx.Close())
	text, err := json.Marshal(ctx.Report())
	require.NoError(t, err)
	var got struct {
		Context, Took string
		Done          bool
		Steps         []struct{ Name, Took string }
		Sockets       []struct {
			Type      string
			MadeAt    string `json:"made_at"`
			Endpoints []string
			Linger    linger.Policy
			Lingers   linger.Policy
			Outcome   string
			Closed    time.Time
			Gone      time.Time
			Accepted  uint64
		}
	}
	require.NoError(t, json.Unmarshal(text, &got))
	assert.Equal(t, ctx.Report().Site, got.Context)
	took, err := time.ParseDuration(got.Took)
	require.NoError(t, err)
	assert.Equal(t, ctx.Report().Took, took)
	assert.True(t, got.Done)
	require.Len(t, got.Steps, 4)
	require.Len(t, got.Sockets, 1)
	s := got.Sockets[0]
	assert.Equal(t, "SUB", s.Type)
	assert.Equal(t, []string{"inproc://" + t.Name()}, s.Endpoints)
	assert.Equal(t, linger.Drop, s.Linger)
	assert.Equal(t, "gone", s.Outcome)
	assert.False(t, s.Closed.IsZero() || s.Gone.IsZero())
	assert.NotContains(t, string(text), "deadline\":null")
	text, err = json.Marshal(Report{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"context":"","took":"0s","done":false}`, string(text))
}

// A linger that runs out is told of the socket whose messages may be lost, and of
// no other: the one with a live peer is gone long before.
func TestReportTellsWhoseLingerRanOut(t *testing.T) {
	for _, closeFirst := range []bool{false, true} {
		var log syncBuffer
		ctx := newLogged(t, &log, WithLinger(linger.MustFor(300*time.Millisecond)))
		pull, live := newSocket(t, newContext(t), PULL), newSocket(t, ctx, PUSH)
		require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
		endpoint, err := pull.GetLastEndpoint()
		require.NoError(t, err)
		require.NoError(t, live.Connect(endpoint))
		_, err = live.Send("x", 0)
		require.NoError(t, err)
		dead := sendToNobody(t, ctx)
		if closeFirst {
			require.NoError(t, live.Close())
			require.NoError(t, dead.Close())
		}
		require.NoError(t, ctx.Close())
		r := ctx.Report()
		ranOut := r.RanOut()
		require.Len(t, ranOut, 1, "%v", r)
		assert.Equal(t, []string{"tcp://127.0.0.1:1"}, ranOut[0].Endpoints)
		assert.Contains(t, r.String(), "ran out")
		assert.Contains(t, log.String(), `"level":"WARN"`)
		assert.Contains(t, log.String(), "messages may be lost")
		assert.Contains(t, log.String(), "tcp://127.0.0.1:1")
		log.reset()
	}
}

// What holds up a close is said while it does.
func TestSlowCloseIsReportedWhileItLasts(t *testing.T) {
	logged := make(chan slog.Record, 10)
	ctx, err := NewContext(WithLogger(slog.New(recordHandler{logged})))
	require.NoError(t, err)
	soc := newSocket(t, ctx, DEALER)
	require.NoError(t, soc.SetLinger(2*time.Second))
	require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
	_, err = soc.Send("x", 0)
	require.NoError(t, err)
	require.NoError(t, soc.Close()) // beyond the reach of the deadline now
	bound, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- ctx.Shutdown(bound) }()
	record := waitFor(t, "the warning", logged)
	assert.Empty(t, done)
	assert.Equal(t, slog.LevelWarn, record.Level)
	for _, want := range []string{"still isn't closed", "DEALER", "report_test.go:", "tcp://127.0.0.1:1", "LINGER 2s"} {
		assert.Contains(t, record.Message, want)
	}
	require.ErrorIs(t, waitFor(t, "Shutdown", done), context.DeadlineExceeded)
	r := ctx.Report()
	assert.False(t, r.Done)
	require.Len(t, r.Holding(), 1)
	assert.Equal(t, DEALER, r.Holding()[0].Type)
	assert.Contains(t, r.String(), "being closed for")
	assert.Contains(t, r.String(), "libzmq still has: 1")
	contexts := Contexts()
	require.NotEmpty(t, contexts)
	require.NotNil(t, contexts[len(contexts)-1].Closing)
	assert.Len(t, contexts[len(contexts)-1].Closing.Holding(), 1)
	bounded(t, "the rest", func() { require.NoError(t, ctx.Shutdown(context.Background())) })
	assert.Len(t, ctx.Report().RanOut(), 1)
	assert.True(t, ctx.Report().Done)
}

// recordHandler passes on what is logged.
type recordHandler struct{ c chan<- slog.Record }

func (recordHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}
func (h recordHandler) Handle(_ context.Context, r slog.Record) error { h.c <- r; return nil }
func (h recordHandler) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h recordHandler) WithGroup(string) slog.Handler                 { return h }

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

func TestContexts(t *testing.T) {
	before := len(Contexts())
	ctx := newContext(t)
	soc := newSocket(t, ctx, PUSH)
	all := Contexts()
	require.Len(t, all, before+1)
	info := all[before]
	assert.Contains(t, info.Site, "main_test.go:")
	assert.WithinDuration(t, time.Now(), info.Created, limit)
	require.Len(t, info.Sockets, 1)
	assert.Equal(t, PUSH, info.Sockets[0].Type)
	assert.Nil(t, info.Closing)
	_, err := json.Marshal(all)
	require.NoError(t, err)
	require.NoError(t, soc.Close())
	assert.Empty(t, Contexts()[before].Sockets)
	require.NoError(t, ctx.Close())
	assert.Len(t, Contexts(), before)
}

func TestHostNamesThatAreLookedUp(t *testing.T) {
	for endpoint, want := range map[string]string{
		"tcp://metrics.example:5555":             "metrics.example",
		"tcp://192.0.2.1:0;metrics.example:5555": "metrics.example",
		"tcp://localhost:1":                      "localhost",
		"tcp://192.0.2.1:1":                      "",
		"tcp://[2001:db8::1]:1":                  "",
		"tcp://[fe80::1%eth0]:1":                 "",
		"tcp://*:1":                              "",
		"ipc:///run/metrics.example:1":           "",
		"inproc://a:1":                           "",
	} {
		assert.Equal(t, want, SocketInfo{Endpoints: []string{"inproc://x", endpoint}}.lookedUp(), endpoint)
	}
}

// The text for a close that nothing but a look-up can hold up, which takes a
// resolver that doesn't answer: the demo's hazard slow-dns has one.
func TestExplainHeld(t *testing.T) {
	closed := func(endpoint string, p linger.Policy) ClosedSocket {
		return ClosedSocket{
			SocketInfo: SocketInfo{Type: PUSH, Site: "x.go:1", Endpoints: []string{endpoint}, Linger: p},
			Lingers:    p, Closed: time.Now(),
		}
	}
	named := closed("tcp://metrics.example:1", linger.Drop)
	assert.Equal(t, "held by libzmq although LINGER is over: PUSH socket made at x.go:1 (tcp://metrics.example:1), LINGER drop; it may be looking up the host name metrics.example",
		explainHeld([]ClosedSocket{named}))
	both := explainHeld([]ClosedSocket{closed("tcp://192.0.2.1:1", linger.Forever), named})
	assert.Contains(t, both, "closed, and lingering unless all is sent: PUSH socket made at x.go:1 (tcp://192.0.2.1:1), LINGER forever; held by libzmq")
}

// Messages are said to be lost only where there were any.
func TestExplainLeft(t *testing.T) {
	socket := func(accepted uint64, p linger.Policy, endpoint string) ClosedSocket {
		return ClosedSocket{
			SocketInfo: SocketInfo{Type: PUSH, Site: "x.go:1", Accepted: accepted, Linger: p, Endpoints: []string{endpoint}},
			Lingers:    linger.Drop, Closed: time.Now(),
		}
	}
	const lost = "unsent messages may be lost"
	full := socket(1, linger.Default, "tcp://192.0.2.1:1")
	held := []ClosedSocket{full}
	assert.Regexp(t, "^"+lost+": held by libzmq although LINGER is over: PUSH", Report{}.explainLeft(held))
	for _, s := range []ClosedSocket{
		socket(0, linger.Default, "tcp://192.0.2.1:1"), socket(1, linger.Drop, "tcp://192.0.2.1:1"), socket(1, linger.Default, "inproc://x"),
	} {
		assert.Regexp(t, "^held by libzmq although LINGER is over: PUSH", Report{}.explainLeft([]ClosedSocket{s}))
	}
	full.Outcome = RanOut
	ranOut := Report{Sockets: []ClosedSocket{full}}
	assert.Regexp(t, "^zmq_ctx_term has not returned; "+lost+": PUSH", ranOut.explainLeft(nil))
	assert.Regexp(t, "^held by libzmq .*; "+lost+": PUSH", ranOut.explainLeft([]ClosedSocket{socket(0, linger.Default, "tcp://192.0.2.1:1")}))
	assert.Equal(t, "zmq_ctx_term has not returned", Report{}.explainLeft(nil))
	assert.Equal(t, "sockets still to be closed: 7", Report{Unclosed: 7}.explainLeft(nil))
}

// What was closed by the program and may hold up the end is in the report, also when
// it is only a look-up that does.
func TestClosedSocketThatLooksUpIsFollowed(t *testing.T) {
	ctx := newContext(t)
	for endpoint, want := range map[string]int{"tcp://localhost:1": 1, "tcp://127.0.0.1:1": 0, "inproc://localhost:1": 0} {
		soc := newSocket(t, ctx, PUSH)
		require.NoError(t, soc.Connect(endpoint))
		require.NoError(t, soc.Close())
		ctx.c.mu.Lock()
		assert.Len(t, ctx.c.lingering, want, endpoint)
		ctx.c.lingering = nil
		ctx.c.mu.Unlock()
	}
}

func TestCloseIsTraced(t *testing.T) {
	var b bytes.Buffer
	if err := trace.Start(&b); err != nil {
		t.Skip("not run: this process is being traced already:", err)
	}
	ctx := newContext(t)
	newSocket(t, ctx, PUSH)
	err := ctx.Close()
	trace.Stop()
	require.NoError(t, err)
	for _, want := range []string{"zmqsafe.Context.Close", "wake", "zmq_close", "monitors and authentication", "zmq_ctx_term"} {
		assert.True(t, strings.Contains(b.String(), want), want)
	}
}
