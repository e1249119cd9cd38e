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
