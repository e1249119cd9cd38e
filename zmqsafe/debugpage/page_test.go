package debugpage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestNothingIsOpen(t *testing.T) {
	page := lines(t, get(t, serving(), "/"))
	assertLine(t, page, "0 sockets in 0 contexts as of 12:30:45")
	assertLine(t, page, "No ZeroMQ context is open.")
	page = lines(t, get(t, serving(), "/?made_at=app/a.go:1"))
	assertLine(t, page, "Only sockets made at app/a.go:1 . Show all")
	assertLine(t, page, "No socket made there is open.")
}

func TestSocketsAreListed(t *testing.T) {
	h := serving(
		zmqsafe.ContextInfo{Site: "app/main.go:12", Created: ago(time.Hour), Sockets: []zmqsafe.SocketInfo{
			{
				Type: zmqsafe.PULL, Site: "app/worker.go:20", Created: ago(50 * time.Minute), Endpoints: []string{"tcp://0.0.0.0:5555", "inproc://jobs"},
				Received: 1234567, Waiting: zmqsafe.Waiting{Receives: 1, Polls: 2}, Linger: linger.Forever,
			},
			{Type: zmqsafe.PUSH, Site: "app/worker.go:30", Created: ago(2 * time.Second), Accepted: 9, Waiting: zmqsafe.Waiting{Sends: 1}},
		}},
		zmqsafe.ContextInfo{Site: "lib/feed.go:7", Created: ago(26 * time.Hour), Default: true},
	)
	page := lines(t, get(t, h, "/"))
	assert.Equal(t, []string{
		"2 sockets in 2 contexts ; blocked on them: 1 receive, 1 send, 2 polls as of 12:30:45",
		"Context made at app/main.go:12",
		"open 2 sockets, 1h0m old",
		"Type | Endpoints | Made at | Age | Blocked on it | Sent | Received | LINGER",
		"PULL | tcp://0.0.0.0:5555 inproc://jobs | app/worker.go:20 | 50m0s | 1 receive, 2 polls | 0 | 1,234,567 | forever",
		"PUSH | none | app/worker.go:30 | 2s | 1 send | 9 | 0 | 1s",
		"Default context made at lib/feed.go:7",
		"open 0 sockets, 1d2h old",
		"This as JSON",
		"The stacks that made the sockets, if the program serves net/http/pprof at ADDRESS: go tool pprof http://ADDRESS/debug/pprof/zmqsafe.sockets",
	}, page)
	assert.Contains(t, get(t, h, "/").Body.String(), "<title>2 sockets – "+filepath.Base(os.Args[0])+"</title>")
}

func TestManySocketsAreGrouped(t *testing.T) {
	sockets := append(manyOf(40, zmqsafe.PULL, "app/few.go:1"), manyOf(5000, zmqsafe.PUSH, "app/many.go:2")...)
	sockets = append(sockets, manyOf(3, zmqsafe.PUB, "app/many.go:2")...)
	sockets[0].Waiting.Receives = 1
	sockets[1].Waiting.Receives = 1
	c := zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour), Sockets: sockets}
	w := get(t, serving(c), "/")
	assert.Less(t, w.Body.Len(), 20_000)
	page := lines(t, w)
	assertLine(t, page, "5,043 sockets in 1 context ; blocked on them: 2 receives as of 12:30:45")
	require.Contains(t, page, "Sockets | Type | Made at | Oldest | Blocked on them | Sent | Received")
	table := page[len(page)-5:]
	assert.Equal(t, "5,000 | PUSH | app/many.go:2 | 1h0m | – | 5,000 | 0", table[0])
	assert.Equal(t, "40 | PULL | app/few.go:1 | 1h0m | 2 receives | 40 | 0", table[1])
	assert.Equal(t, "3 | PUB | app/many.go:2 | 1h0m | – | 3 | 0", table[2])
	assertLine(t, page, "5,000 PUSH sockets made at app/many.go:2 are open. Does the program close them? Show")

	w = get(t, serving(c), "/?made_at=app/many.go:2")
	assert.Less(t, w.Body.Len(), 150_000)
	page = lines(t, w)
	assertLine(t, page, "5,003 sockets in 1 context as of 12:30:45")
	assertLine(t, page, "PUSH | tcp://127.0.0.1:10199 | app/many.go:2 | 59m59s | – | 1 | 0 | 1s")
	assert.NotContains(t, page, "PUSH | tcp://127.0.0.1:10200 | app/many.go:2 | 59m59s | – | 1 | 0 | 1s")
	assertLine(t, page, "And 4,803 younger sockets. All, as JSON")

	c.Sockets = c.Sockets[:maxUngrouped]
	assertLine(t, lines(t, get(t, serving(c), "/")), "Type | Endpoints | Made at | Age | Blocked on it | Sent | Received | LINGER")
}

func TestThePageIsBounded(t *testing.T) {
	var contexts []zmqsafe.ContextInfo
	for i := range 60 {
		c := zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour - time.Duration(i))}
		for site := range 300 {
			c.Sockets = append(c.Sockets, manyOf(1, zmqsafe.SUB, fmt.Sprintf("app/x.go:%d", site))...)
		}
		c.Sockets[0].Waiting.Sends = 1
		c.Sockets[0].Endpoints = make([]string, 100)
		contexts = append(contexts, c)
	}
	w := get(t, serving(contexts...), "/")
	page := lines(t, w)
	assertLine(t, page, "And 100 smaller groups. All, as JSON")
	assertLine(t, page, "And 300 smaller groups. All, as JSON")
	assertLine(t, page, "And 10 more contexts. All, as JSON")
	assertLine(t, page, "And 40 more.")
	assert.Equal(t, maxNotices, strings.Count(strings.Join(page, "\n"), "Blocked on 1 SUB socket made at app/x.go:0: 1 send."))
	assert.Less(t, w.Body.Len(), 150_000)

	page = lines(t, get(t, serving(contexts...), "/?made_at=app/x.go:0"))
	assertLine(t, page, "SUB | and 96 more | app/x.go:0 | 1h0m | 1 send stuck | 1 | 0 | 1s")
}

func TestStuckSendsNeedAttention(t *testing.T) {
	old := zmqsafe.SocketInfo{Type: zmqsafe.PUSH, Site: "app/a.go:1", Created: ago(time.Minute), Waiting: zmqsafe.Waiting{Sends: 2}}
	older := zmqsafe.SocketInfo{Type: zmqsafe.PUSH, Site: "app/a.go:1", Created: ago(time.Hour), Waiting: zmqsafe.Waiting{Sends: 1}}
	idle := zmqsafe.SocketInfo{Type: zmqsafe.PUSH, Site: "app/a.go:1", Created: ago(time.Hour)}
	young := zmqsafe.SocketInfo{Type: zmqsafe.PUSH, Site: "app/b.go:2", Created: ago(stuckAge - 1), Waiting: zmqsafe.Waiting{Sends: 1}}
	c := zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour), Sockets: []zmqsafe.SocketInfo{older, old, idle, young}}
	page := lines(t, get(t, serving(c), "/"))
	assertLine(t, page, "Blocked on 2 PUSH sockets made at app/a.go:1: 3 sends. The oldest socket is 1h0m old. No peer takes the messages, or not fast enough. Show")
	assertLine(t, page, "PUSH | none | app/a.go:1 | 1m0s | 2 sends stuck | 0 | 0 | 1s")
	assertLine(t, page, "PUSH | none | app/b.go:2 | 4.9s | 1 send | 0 | 0 | 1s")

	c.Sockets = append(c.Sockets, manyOf(maxUngrouped, zmqsafe.SUB, "app/c.go:1")...)
	page = lines(t, get(t, serving(c), "/"))
	assertLine(t, page, "3 | PUSH | app/a.go:1 | 1h0m | 3 sends 2 stuck | 0 | 0")

	c.Sockets = []zmqsafe.SocketInfo{young, idle}
	assert.NotContains(t, lines(t, get(t, serving(c), "/")), "Needs attention")
	c.Sockets = manyOf(manySockets-1, zmqsafe.SUB, "app/c.go:1")
	assert.NotContains(t, lines(t, get(t, serving(c), "/")), "Needs attention")
}

func TestAClosingContextShowsWhatHoldsIt(t *testing.T) {
	socket := func(typ zmqsafe.Type, o zmqsafe.Outcome) zmqsafe.ClosedSocket {
		s := zmqsafe.ClosedSocket{
			SocketInfo:      zmqsafe.SocketInfo{Type: typ, Site: "app/a.go:1", Created: ago(time.Hour), Accepted: 7, Waiting: zmqsafe.Waiting{Receives: 1}},
			EffectiveLinger: linger.Drop, Closed: ago(2 * time.Second), Outcome: o,
		}
		if o != zmqsafe.Holding {
			s.Released = ago(time.Second)
		}
		return s
	}
	c := zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour), Report: zmqsafe.Report{
		Site: "app/main.go:1", Began: ago(2 * time.Second), Deadline: now.Add(3 * time.Second), Took: 2 * time.Second, Unclosed: 2,
		Steps:   []zmqsafe.Step{{Name: "wake", Took: 3 * time.Millisecond}, {Name: "zmq_close", Took: 2 * time.Second}},
		Sockets: []zmqsafe.ClosedSocket{socket(zmqsafe.SUB, zmqsafe.Gone), socket(zmqsafe.PUB, zmqsafe.RanOut), socket(zmqsafe.PUSH, zmqsafe.Holding)},
	}}
	c.Report.Sockets[0].Unread, c.Report.Sockets[0].UnreadAtLeast = 1234, true
	const headline = "has been closing for 2s, with 3s left; 2 sockets not closed yet; " +
		"libzmq still has 1 socket, PUSH socket made at app/a.go:1, LINGER 1s cut to drop; LINGER ran out for 1 socket, so messages may be lost."
	page := lines(t, get(t, serving(c), "/"))
	assertLine(t, page, "Context made at app/main.go:1 "+headline)
	assertLine(t, page, "closing 0 sockets, 1h0m old")
	assertLine(t, page, "It "+headline)
	assertLine(t, page, "wake 3ms")
	assertLine(t, page, "zmq_close 2s")
	table := page[len(page)-5:]
	assert.Equal(t, "PUSH | none | app/a.go:1 | holding | 2s | 1 receive | 7 | 0 | 0 | drop of 1s", table[0])
	assert.Equal(t, "PUB | none | app/a.go:1 | ran out | 1s | 1 receive | 7 | 0 | 0 | drop of 1s", table[1])
	assert.Equal(t, "SUB | none | app/a.go:1 | gone | 1s | 1 receive | 7 | 0 | at least 1,234 | drop of 1s", table[2])

	c.Report.Deadline = ago(500 * time.Millisecond)
	for range 100 {
		c.Report.Sockets = append(c.Report.Sockets, socket(zmqsafe.REQ, zmqsafe.Gone))
	}
	w := get(t, serving(c), "/")
	assertLine(t, lines(t, w), "And 53 more sockets.")
	assert.Contains(t, w.Body.String(), "has been closing for 2s, 500ms past its deadline;")
	assert.Contains(t, w.Body.String(), `<p class="alert">`)
}

// A context that goes on shows what has been lost so far.
func TestWhatMayBeLost(t *testing.T) {
	c := zmqsafe.ContextInfo{Site: "app/main.go:1", Created: ago(time.Hour), Report: zmqsafe.Report{
		Sockets: []zmqsafe.ClosedSocket{{
			SocketInfo: zmqsafe.SocketInfo{Type: zmqsafe.PUSH, Site: "app/a.go:1", Accepted: 7, Linger: linger.Drop}, EffectiveLinger: linger.Drop,
			Closed: ago(time.Minute), Released: ago(time.Minute - time.Second), Outcome: zmqsafe.RanOut, Merged: 12,
		}},
		Detached: []zmqsafe.Detached{
			{Site: "app/b.go:1", Times: 3, Type: zmqsafe.PUB, SocketSite: "app/b.go:2", Endpoint: "tcp://*:5555", Bound: true, Accepted: 9, Outcome: zmqsafe.Gone},
			{Site: "app/c.go:1", Times: 1, Type: zmqsafe.PUSH, SocketSite: "app/c.go:2", Accepted: 2000, Outcome: zmqsafe.RanOut, MayLose: 1000, Endpoints: []string{"tcp://a:1", "tcp://b:1"}},
			{Site: "app/d.go:1", Times: 1, Type: zmqsafe.PUSH, SocketSite: "app/d.go:2", Accepted: 1, Outcome: zmqsafe.Holding, Open: 1, Endpoints: []string{"tcp://c:1"}},
		},
		Unread: []zmqsafe.Unread{{Type: zmqsafe.PULL, Site: "app/e.go:1", Sockets: 3, Messages: 4000, AtLeast: true}, {Type: zmqsafe.SUB, Site: "app/e.go:2", Sockets: 1, Messages: 1}},
	}}
	page := lines(t, get(t, serving(c), "/"))
	assert.Equal(t, []string{
		"open 0 sockets, 1h0m old",
		"Closed sockets",
		"Type | Endpoints | Made at | Outcome | After | Woke | Sent | Received | Unread | LINGER",
		"PUSH | none | app/a.go:1 | ran out (12 sockets) | 1s | – | 7 | 0 | 0 | drop",
		"Detached endpoints",
		"By | Endpoints | Called at | Socket | Outcome | May be lost | Times | Sent | LINGER",
		"Disconnect | tcp://c:1 | app/d.go:1 | PUSH app/d.go:2 | holding | 0 | 1 | 1 | 1s",
		"Disconnect | tcp://a:1 tcp://b:1 | app/c.go:1 | PUSH app/c.go:2 | ran out | 1,000 | 1 | 2,000 | 1s",
		"Unbind | tcp://*:5555 | app/b.go:1 | PUB app/b.go:2 | gone | 0 | 3 | 9 | 1s",
		"What had arrived and was not received, when sockets were closed",
		"Type | Made at | Sockets | Unread",
		"PULL | app/e.go:1 | 3 | at least 4,000",
		"SUB | app/e.go:2 | 1 | 1",
	}, page[2:len(page)-2])

	c.Report.Began = ago(time.Second)
	held := c.Report.Detached[2]
	for range maxNotices {
		c.Report.Detached, c.Report.Unread = append(c.Report.Detached, held), append(c.Report.Unread, c.Report.Unread[0])
	}
	w := get(t, serving(c), "/")
	page = lines(t, w)
	assertLine(t, page, "It has been closing for 0s; libzmq may still be sending after "+held.String()+", and 20 more; LINGER ran out for 12 sockets, so messages may be lost.")
	assertLine(t, page, "And 3 more. All, as JSON")
	assertLine(t, page, "And 2 more. All, as JSON")
	assert.Equal(t, maxNotices, strings.Count(w.Body.String(), `<strong class="badge bad">holding</strong>`))
}

func TestTheMostUrgentComesFirst(t *testing.T) {
	stuck := manyOf(1, zmqsafe.PUSH, "app/b.go:1")
	stuck[0].Waiting.Sends = 1
	page := lines(t, get(t, serving(
		zmqsafe.ContextInfo{Site: "app/many.go:1", Sockets: manyOf(manySockets, zmqsafe.SUB, "app/a.go:1")},
		zmqsafe.ContextInfo{Site: "app/stuck.go:1", Sockets: stuck},
		zmqsafe.ContextInfo{Site: "app/closing.go:1", Report: zmqsafe.Report{Began: ago(time.Second), Took: time.Second}},
	), "/"))
	require.Equal(t, "Needs attention", page[1])
	assert.Equal(t, "Context made at app/closing.go:1 has been closing for 1s.", page[2])
	assert.Contains(t, page[3], "Blocked on 1 PUSH socket made at app/b.go:1: 1 send.")
	assert.Contains(t, page[4], "100 SUB sockets made at app/a.go:1 are open")

	var contexts []string
	for _, line := range page[5:] {
		if strings.HasPrefix(line, "Context made at ") {
			contexts = append(contexts, line)
		}
	}
	assert.Equal(t, []string{"Context made at app/closing.go:1", "Context made at app/many.go:1", "Context made at app/stuck.go:1"}, contexts)
}
