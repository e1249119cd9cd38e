package zmqsafe

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// watchers are the polls that want to know when one socket may be ready.
//
// Being told happens once: it takes the watch off, and whoever polls looks at
// the socket and, where it isn't ready, watches anew. So a poll looks at sockets
// to which something happened, and at no others.
//
// A watch is entered before ZMQ_EVENTS is read: what makes the socket ready after
// that reading gives an edge, which the waker passes on, or is worked off by a
// call on the socket, which passes on what it found (see guard). Polling is level-
// triggered: a poll that finds a socket ready tells itself, too, and so looks at it
// again next time.
//
// Locks are taken in this order: Reactor, Poller, guard, waker, watchers, pollQueue.
type watchers struct {
	any atomic.Bool // whether set has something
	mu  sync.Mutex
	set map[*watch]struct{} // guarded by mu
}

// watch is what a poll wants to know of one socket. It doesn't lead to the
// Socket, see socketState.
type watch struct {
	s      *socketState // nil for what was never open
	queue  *pollQueue
	events atomic.Int32 // a State
	index  int          // guarded by the Poller's mu; among what was added
	ready  State        // guarded by the Poller's mu; when it was last checked
	queued bool         // guarded by queue.mu
}

func (ws *watchers) add(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.set == nil {
		ws.set = make(map[*watch]struct{})
	}
	ws.set[w] = struct{}{}
	ws.any.Store(true)
}

// remove takes w off. Nobody tells it any more.
func (ws *watchers) remove(w *watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.set, w)
	ws.any.Store(len(ws.set) > 0)
}

// tell tells the watches for what is ready. It never blocks.
func (ws *watchers) tell(ready State) {
	if ready != 0 {
		ws.tellThose(func(w *watch) bool { return State(w.events.Load())&ready != 0 })
	}
}

// tellAll tells all watches: something has happened, and what isn't known.
func (ws *watchers) tellAll() { ws.tellThose(func(*watch) bool { return true }) }

func (ws *watchers) tellThose(which func(*watch) bool) {
	if !ws.any.Load() {
		return
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.set {
		if which(w) {
			delete(ws.set, w)
			w.queue.add(w)
			w.queue.kick()
		}
	}
	ws.any.Store(len(ws.set) > 0)
}

// polls counts the polls that are blocked on the socket.
func (ws *watchers) polls() int {
	if !ws.any.Load() {
		return 0
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	n := 0
	counted := make(map[*pollQueue]bool) // a Poller may have the socket twice
	for w := range ws.set {
		if !counted[w.queue] {
			counted[w.queue] = true
			n += int(w.queue.blocked.Load())
		}
	}
	return n
}

// check returns for which of the watch's events the socket is ready. The watch will
// be told when it is ready for one, which may be now.
func (w *watch) check() (State, error) {
	s := w.s
	if s == nil {
		return 0, ErrorSocketClosed
	}
	if err := s.lock(); err != nil {
		return 0, err
	}
	if err := s.arm(); err != nil {
		s.unlock(0)
		return 0, err
	}
	s.watchers.add(w)
	ready := s.events()
	s.unlock(ready)
	return ready & State(w.events.Load()), nil
}

// stop ends the watch for good: it is told no more, nor is it in the queue.
func (w *watch) stop() {
	if w.s != nil {
		w.s.watchers.remove(w)
	}
	w.queue.remove(w)
}

// pollQueue holds the watches of one Poller whose sockets may be ready.
type pollQueue struct {
	mu    sync.Mutex
	maybe []*watch      // guarded by mu
	wake  chan struct{} // a token: look again; one too many costs one look

	blocked atomic.Int32 // how many wait for wake; to be told, nothing hangs on it
}

func newPollQueue() *pollQueue { return &pollQueue{wake: make(chan struct{}, 1)} }

func (q *pollQueue) add(watches ...*watch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range watches {
		if !w.queued {
			w.queued = true
			q.maybe = append(q.maybe, w)
		}
	}
}

func (q *pollQueue) remove(w *watch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.maybe, w); i >= 0 {
		q.maybe = slices.Delete(q.maybe, i, i+1)
	}
}

func (q *pollQueue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.maybe)
}

// take empties the queue into buf. The token goes with it: what it was for is
// looked at now.
func (q *pollQueue) take(buf []*watch) []*watch {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-q.wake:
	default:
	}
	for _, w := range q.maybe {
		w.queued = false
	}
	buf = append(buf, q.maybe...)
	clear(q.maybe) // or it would keep what was removed
	q.maybe = q.maybe[:0]
	return buf
}

// await waits for a kick. late says that expired came first.
func (q *pollQueue) await(ctx context.Context, expired <-chan time.Time) (late bool, err error) {
	q.blocked.Add(1)
	defer q.blocked.Add(-1)
	select {
	case <-q.wake:
		return false, nil
	case <-expired:
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// kick makes one who waits look again. It never blocks.
func (q *pollQueue) kick() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
