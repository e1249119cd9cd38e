package guard

import "sync/atomic"

// Watch is what one poll wants to know of one guard. It is notified once:
// notifying takes it off the guard and puts it into the poll's Queue. The poll
// then looks at the resource with Guard.Watch, which watches again.
//
// So a poll looks at the resources to which something happened, and at no
// others. Polls are level-triggered: a poll that finds a resource ready
// notifies itself as well, and so looks at it again next time.
type Watch struct {
	Index int // for the owner of the queue; this package doesn't look at it

	queue  *Queue
	wanted atomic.Int32 // a Ready
	queued bool         // guarded by queue.mu
}

// NewWatch returns a Watch that wants to know when a resource may be ready for
// one of wanted, and goes to q then.
func NewWatch(q *Queue, wanted Ready, index int) *Watch {
	w := &Watch{Index: index, queue: q}
	w.wanted.Store(int32(wanted))
	return w
}

// Wanted returns what the Watch wants to know of.
func (w *Watch) Wanted() Ready { return Ready(w.wanted.Load()) }

// Want changes that, and returns what it was. It notifies the poll.
func (w *Watch) Want(wanted Ready) (previous Ready) {
	previous = Ready(w.wanted.Swap(int32(wanted)))
	w.notify()
	return previous
}

func (w *Watch) notify() {
	w.queue.Push(w)
	w.queue.Wake()
}

// Watch returns what the resource is ready for of what w wants. From now on w
// is notified when it may be ready for that, which may be already.
func (g *Guard) Watch(w *Watch) (Ready, error) {
	if err := g.Lock(); err != nil {
		return 0, err
	}
	if err := g.resource.Arm(); err != nil {
		g.Unlock(0)
		return 0, err
	}
	// Entered before Events is read: what makes the resource ready after that
	// gives an edge, or is found by a call, which passes it on.
	g.watchers.add(w)
	ready := g.resource.Events()
	g.Unlock(ready)
	return ready & w.Wanted(), nil
}

// Wanted returns what watches want to know of, for tests.
func (g *Guard) Wanted() (wanted Ready) {
	g.watchers.mu.Lock()
	defer g.watchers.mu.Unlock()
	for w := range g.watchers.set {
		wanted |= w.Wanted()
	}
	return wanted
}

// Unwatch takes w off: the guard notifies it no more. It may still be queued.
func (g *Guard) Unwatch(w *Watch) { g.watchers.remove(w) }

// watchers are the watches of one guard.
type watchers struct {
	any atomic.Bool // whether set has any
	mu  watchersMutex
	set map[*Watch]struct{} // guarded by mu
}

func (ws *watchers) add(w *Watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.set == nil {
		ws.set = make(map[*Watch]struct{})
	}
	ws.set[w] = struct{}{}
	ws.any.Store(true)
}

func (ws *watchers) remove(w *Watch) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	delete(ws.set, w)
	ws.any.Store(len(ws.set) > 0)
}

// notify notifies the watches that want one of ready. It never blocks.
func (ws *watchers) notify(ready Ready) {
	ws.notifyIf(func(w *Watch) bool { return w.Wanted()&ready != 0 })
}

// notifyAll notifies all watches, whatever they want: something has happened,
// and nobody knows what.
func (ws *watchers) notifyAll() { ws.notifyIf(func(*Watch) bool { return true }) }

func (ws *watchers) notifyIf(wants func(*Watch) bool) {
	if !ws.any.Load() {
		return
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.set {
		if wants(w) {
			delete(ws.set, w)
			w.notify()
		}
	}
	ws.any.Store(len(ws.set) > 0)
}

// polls counts the polls that wait for the resource.
func (ws *watchers) polls() (n int) {
	if !ws.any.Load() {
		return 0
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	counted := make(map[*Queue]bool) // a poll may watch the resource twice
	for w := range ws.set {
		if !counted[w.queue] {
			counted[w.queue] = true
			n += int(w.queue.blocked.Load())
		}
	}
	return n
}
