package zmqsafe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
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
	return newContext(t, append([]Option{WithLinger(linger.Default), WithLogger(log.logger())}, options...)...)
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
	for range 3 {
		_, err := pull.RecvMessage(0)
		require.NoError(t, err)
	}
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
	assert.WithinDuration(t, r.Began.Add(limit), r.Deadline, limit/2)
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
	assert.Equal(t, uint64(3), s.Received)
	for _, s := range r.Sockets {
		assert.Equal(t, Gone, s.Outcome)
		assert.Equal(t, linger.Default, s.Linger)
		assert.Equal(t, linger.Default, s.EffectiveLinger)
		assert.Contains(t, s.Site, "zmqsafe/main_test.go:")
		assert.True(t, s.Created.Before(s.Woken) && !s.Closed.Before(s.Woken) && !s.Released.Before(s.Closed), "%+v", s)
	}
	assert.Empty(t, r.RanOut())
	assert.Empty(t, r.Holding())

	text := r.String()
	for _, want := range []string{r.Site, "closed in", "of 1m0s", "zmq_ctx_term", "PUSH", "tcp://127.0.0.1:", "1 receive", "gone"} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "lost")
	require.Eventually(t, func() bool { return log.String() != "" }, limit, time.Millisecond)
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(log.String()), &line), "the only line")
	assert.Equal(t, "DEBUG", line["level"])
	assert.Equal(t, "zmqsafe: context closed", line["msg"])
	assert.Equal(t, r.Site, line["made_at"])
	assert.EqualValues(t, r.Took, line["took"])
	assert.Subset(t, line["report"], map[string]any{"made_at": r.Site, "done": true, "sockets": 3.0})
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
		MadeAt  string `json:"made_at"`
		Took    string
		Done    bool
		Steps   []struct{ Name, Took string }
		Sockets []struct {
			Type      string
			MadeAt    string `json:"made_at"`
			Endpoints []string
			Linger    linger.Policy
			Effective linger.Policy `json:"effective_linger"`
			Outcome   string
			Closed    time.Time
			Released  time.Time
			Accepted  uint64
		}
	}
	require.NoError(t, json.Unmarshal(text, &got))
	assert.Equal(t, ctx.Report().Site, got.MadeAt)
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
	assert.Equal(t, linger.Drop, s.Effective)
	assert.Equal(t, "gone", s.Outcome)
	assert.False(t, s.Closed.IsZero() || s.Released.IsZero())
	assert.NotContains(t, string(text), "deadline\":null")
}

// The format is a promise to programs: what changes here changes the version.
func TestReportAsJSONIsExactly(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 1, 2, 3, 4, second, 500_000_000, time.UTC) }
	socket := SocketInfo{
		Type: PUSH, Endpoints: []string{"tcp://192.0.2.1:1"}, Site: "app/a.go:2", Created: at(0), Linger: linger.Default,
		Accepted: 3, Received: 4, Waiting: Waiting{Receives: 1, Sends: 2, Polls: 3},
	}
	idle := SocketInfo{Type: PULL, Site: "app/a.go:3", Created: at(0), Linger: linger.Forever}
	const idleJSON = `"type":"PULL","made_at":"app/a.go:3","created":"2026-01-02T03:04:00.5Z","linger":"forever","accepted":0,"received":0`
	for _, c := range []struct {
		v    any
		want string
	}{
		{Report{}, `{"version":1,"made_at":"","took":"0s","done":false}`},
		{Report{
			Site: "app/a.go:1", Began: at(1), Deadline: at(6), Took: 1200 * time.Millisecond, Done: true,
			Steps: []Step{{"wake", at(1), 6 * time.Microsecond}},
			Sockets: []ClosedSocket{
				{SocketInfo: socket, EffectiveLinger: linger.MustFor(900 * time.Millisecond), Woken: at(1), Closed: at(2), Released: at(3), Outcome: RanOut},
				{SocketInfo: idle, EffectiveLinger: linger.Drop},
			},
			Unclosed: 2, CloseError: "lost",
		}, `{"version":1,"made_at":"app/a.go:1","began":"2026-01-02T03:04:01.5Z","deadline":"2026-01-02T03:04:06.5Z","took":"1.2s","done":true,` +
			`"steps":[{"name":"wake","began":"2026-01-02T03:04:01.5Z","took":"6µs"}],` +
			`"sockets":[{"type":"PUSH","endpoints":["tcp://192.0.2.1:1"],"made_at":"app/a.go:2","created":"2026-01-02T03:04:00.5Z","linger":"1s",` +
			`"accepted":3,"received":4,"waiting":{"receives":1,"sends":2,"polls":3},` +
			`"effective_linger":"900ms","woken":"2026-01-02T03:04:01.5Z","closed":"2026-01-02T03:04:02.5Z","released":"2026-01-02T03:04:03.5Z","outcome":"ran out"},` +
			`{` + idleJSON + `,"effective_linger":"drop","outcome":"holding"}],` +
			`"unclosed":2,"error":"lost"}`},
		{
			ContextInfo{Site: "app/a.go:1", Created: at(0), Default: true, Sockets: []SocketInfo{idle}, Report: Report{Done: true}},
			`{"made_at":"app/a.go:1","created":"2026-01-02T03:04:00.5Z","default":true,"sockets":[{` + idleJSON + `}],` +
				`"report":{"version":1,"made_at":"","took":"0s","done":true}}`,
		},
	} {
		text, err := json.Marshal(c.v)
		require.NoError(t, err)
		assert.Equal(t, c.want, string(text))
	}
}

// The report names the socket whose messages may be lost and no other: the one
// with a live peer is gone long before.
func TestReportTellsWhoseLingerRanOut(t *testing.T) {
	for _, closeFirst := range []bool{false, true} {
		var log syncBuffer
		ctx := newLogged(t, &log, WithLinger(linger.MustFor(300*time.Millisecond)), WithCloseWait(false))
		pull, live := newSocket(t, newContext(t), PULL), newSocket(t, ctx, PUSH)
		require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
		endpoint, err := pull.GetLastEndpoint()
		require.NoError(t, err)
		require.NoError(t, live.SetLinger(limit))
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
		line := log.line(t, lingerRanOut)
		assert.Equal(t, r.Site, line["made_at"])
		assert.EqualValues(t, r.Took, line["took"])
		assert.Contains(t, line["ran_out"], "tcp://127.0.0.1:1")
		assert.Contains(t, line["report"].(map[string]any)["ran_out"], "tcp://127.0.0.1:1")
		log.reset()
	}
}

// recordHandler passes on what is logged.
type recordHandler struct{ c chan<- slog.Record }

func (recordHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}
func (h recordHandler) Handle(_ context.Context, r slog.Record) error { h.c <- r; return nil }
func (h recordHandler) WithAttrs([]slog.Attr) slog.Handler            { return h }
func (h recordHandler) WithGroup(string) slog.Handler                 { return h }

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

// However many sockets and endpoints there are, a log line and an error stay
// short enough to read.
func TestTextIsBounded(t *testing.T) {
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprintf("tcp://metrics.example:%d", 1+i))
	}
	one := ClosedSocket{SocketInfo: SocketInfo{Type: PUSH, Site: "x.go:1", Endpoints: many, Linger: linger.Drop}, EffectiveLinger: linger.Drop, Closed: time.Now()}
	assert.Contains(t, one.SocketInfo.String(), "metrics.example:10, and 4990 more)")
	assert.NotContains(t, one.SocketInfo.String(), "metrics.example:11")
	r := Report{Began: time.Now(), Done: true}
	for range 5000 {
		s := one
		s.Endpoints = many[:1]
		s.Outcome = RanOut
		r.Sockets = append(r.Sockets, s)
	}
	for name, text := range map[string]string{
		"list": list(r.Sockets), "held": r.blockers(r.Sockets).String(), "log": fmt.Sprint(r.LogValue()),
	} {
		assert.Contains(t, text, "and 4990 more", name)
		assert.Less(t, len(text), 2000, name)
	}
	assert.Equal(t, 1, strings.Count(r.blockers(r.Sockets).String(), "host name metrics.example"))
	text, err := json.Marshal(r)
	require.NoError(t, err)
	assert.Equal(t, 1+5000, strings.Count(string(text), `"made_at"`), "programs get all of them")
	assert.Equal(t, 5000, strings.Count(r.String(), "ran out  "), "and so does the table")

	assert.Empty(t, list(nil))
	assert.Len(t, strings.Split(list(r.Sockets[:10]), "; "), 10)
	assert.NotContains(t, list(r.Sockets[:10]), "more")
}
