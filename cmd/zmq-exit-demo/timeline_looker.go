package main

import (
	"time"

	"github.com/zmqsafe/zmq-exit/cmd/zmq-exit-demo/internal/timeline"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// looker looks at the contexts of the process from outside, and records what has
// changed: that is how it becomes known when calls were blocked, and that the program
// has closed a socket itself, which the report of a context needn't say.
type looker struct {
	recorder *recorder
	looks    int
	numbers  int // that were given to contexts and sockets
	contexts map[contextKey]*contextSeen
	sockets  map[socketKey]*socketSeen
	wrote    time.Time
}

type contextKey struct {
	site    string
	created int64
}

// socketKey identifies a socket: no two are made by the same line for the same context
// in the same nanosecond, but by goroutines that run at once.
type socketKey struct {
	context contextKey
	site    string
	created int64
}

type contextSeen struct {
	number, look int
	closing      closeSeen
}

type socketSeen struct {
	number, look, endpoints int
	waiting                 zmqsafe.Waiting
}

// closeSeen is how far a close has come. A report is recorded when that changes, for
// the case that it isn't logged, or not by the default logger.
type closeSeen struct{ steps, closed, holding int }

func newLooker(r *recorder) *looker {
	return &looker{recorder: r, contexts: map[contextKey]*contextSeen{}, sockets: map[socketKey]*socketSeen{}}
}

// heartbeat is how often something is recorded when nothing changes: the last line
// tells until when the process was there.
const heartbeat = 50 * time.Millisecond

func (l *looker) look() {
	contexts := zmqsafe.Contexts()
	now := time.Now() // what is listed was there before, and what is missing is so by now
	l.looks++
	var events []timeline.Event
	for _, c := range contexts {
		events = append(events, l.lookAt(c, now)...)
	}
	for key, c := range l.contexts {
		if c.look != l.looks {
			events = append(events, timeline.Event{At: now, Context: c.number, Left: true})
			delete(l.contexts, key)
		}
	}
	var missing []int
	for key, s := range l.sockets {
		if s.look != l.looks {
			missing = append(missing, s.number)
			delete(l.sockets, key)
		}
	}
	if missing != nil {
		events = append(events, timeline.Event{At: now, Missing: missing})
	}
	if events == nil && now.Sub(l.wrote) > heartbeat {
		events = []timeline.Event{{At: now}}
	}
	if events != nil {
		l.recorder.write(events...)
		l.wrote = now
	}
}

// lookAt returns what is new about one context.
func (l *looker) lookAt(info zmqsafe.ContextInfo, now time.Time) (events []timeline.Event) {
	key := contextKey{info.Site, info.Created.UnixNano()}
	c := l.contexts[key]
	if c == nil {
		l.numbers++
		c = &contextSeen{number: l.numbers, closing: closeSeen{steps: -1}} // a close may have begun no step yet
		l.contexts[key] = c
		events = append(events, timeline.Event{At: now, Context: c.number, Opened: &timeline.Opened{Site: info.Site, Created: info.Created}})
	}
	c.look = l.looks
	for _, s := range info.Sockets {
		key := socketKey{key, s.Site, s.Created.UnixNano()}
		known := l.sockets[key]
		if known == nil {
			l.numbers++
			known = &socketSeen{number: l.numbers}
			l.sockets[key] = known
		} else if known.waiting == s.Waiting && known.endpoints == len(s.Endpoints) {
			known.look = l.looks
			continue
		}
		known.look, known.waiting, known.endpoints = l.looks, s.Waiting, len(s.Endpoints)
		socket := drawnSocket(s)
		events = append(events, timeline.Event{At: now, Context: c.number, Number: known.number, Socket: &socket, Waiting: s.Waiting.String()})
	}
	if r := info.Closing; r != nil {
		closing := closeSeen{len(r.Steps), len(r.Sockets), len(r.Holding())}
		if closing != c.closing {
			c.closing = closing
			events = append(events, timeline.Event{At: now, Context: c.number, Report: drawnReport(*r)})
		}
	}
	return events
}
