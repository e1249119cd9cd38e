// Package guard lets any number of goroutines use one resource that admits one
// caller at a time and never blocks: a libzmq socket. It is pure Go, knows
// nothing of libzmq, and its tests run on a fake socket.
//
// guard.go has the lock and the states, wait.go the whole life of a call that
// may wait, parker.go how a goroutine waits, watch.go and queue.go how a poll
// waits for many resources at once.
package guard

import (
	"sync"
	"sync/atomic"
	"time"
)

// Ready says what a resource is ready for: In, Out, both or neither. The values
// are those of ZMQ_POLLIN and ZMQ_POLLOUT.
type Ready int

const (
	In  Ready = 1 << iota // a receive would succeed
	Out                   // a send would succeed
)

// Resource is what a Guard protects. Its methods are called with the lock held,
// and never block.
type Resource interface {
	// Arm makes sure that Wake is called for each edge from now on, also for
	// one that is there already. It is called before every try of a call that
	// may have to wait, so it must be cheap once it has succeeded.
	Arm() error

	// Events returns what the resource is ready for. It processes what has
	// arrived, and so may consume an edge.
	Events() Ready
}

// Guard stands between goroutines and one resource. Everything that touches the
// resource goes through it. The zero Guard is closed.
//
// # The contract
//
//   - States: open, closing, closed, in this order and never back. A closing
//     guard refuses calls, but its resource is still there.
//   - The resource may be touched only by whoever holds the lock, and got it
//     from Lock (open) or Retire (closing). The lock is held for one call, for
//     all parts of one message, or for a bounded burst, and never while
//     anything is waited for.
//   - A call that would block gives up the lock and waits in Go. In each
//     direction one goroutine at a time waits for the resource: the one that
//     holds the slot. The others wait for the slot. A goroutine that arrives
//     tries once before it queues, as with sync.Mutex.
//   - Whoever holds the slot sets waiting first, then tries, then parks. A
//     Parker keeps one Unpark, so nothing that happens between the try and the
//     wait is lost. An Unpark too many costs one try.
//   - A resource becomes ready in two ways. An edge arrives, and somebody calls
//     Wake for it. Or a call on the resource processes what has arrived, for
//     both directions, and so may consume that edge. Therefore Unlock wakes: a
//     call that ran while somebody waited passes on the Events as they are
//     after the call. Events consumes edges, too: a waiter that reads there
//     that it is ready itself tries again at once, since no edge will come.
//   - A waiter wakes the other direction only for a readiness that the resource
//     reports, and each try that follows takes something from the resource. So
//     two waiters can't keep each other busy.
//   - If Out is not reliable (a ROUTER reports it when any peer has room), a
//     sender would try forever. It ignores the report, and tries again after
//     Recheck in case it has missed an edge.
//   - Polls wait for many resources, so they wait in a Queue. Whatever wakes
//     waiters notifies watches, too.
//   - Close ends every wait before it returns: closing never waits for a
//     waiter.
//
// Who waits for whom: a caller waits for the lock (bounded by one message or
// burst), then for the slot, then parked; Close, its context and its time-out
// end the last two. Close and Retire wait for the lock only. Wake waits for
// nobody.
type Guard struct {
	resource Resource      // set by Open
	again    error         // set by Open: what a try returns if the resource isn't ready
	done     chan struct{} // closed when the state leaves open

	mu    guardMutex // the lock; Open sets its Number
	state state      // guarded by mu
	err   error      // guarded by mu; what calls return once the state isn't open

	in, out  direction
	making   sync.Once // of what in and out need to wait
	watchers watchers
}

type state uint8

const (
	closed state = iota
	open
	closing
)

// Recheck is how long a blocked sender waits before it tries again if Out is
// not reliable.
const Recheck = 20 * time.Millisecond

// numbers is the highest number of a Guard so far.
var numbers atomic.Uint64

// Open makes a zero Guard usable. A try returns again, that very error, when
// the resource isn't ready.
func (g *Guard) Open(r Resource, again error) {
	g.resource, g.again, g.done = r, again, make(chan struct{})
	g.mu.Number = numbers.Add(1)
	g.state = open
}

// Number returns a number that no other Guard of the process has, and that is
// higher than those of all Guards opened before. Several Guards are locked in
// the order of their numbers: see internal/lockorder.
func (g *Guard) Number() uint64 { return g.mu.Number }

// Lock enters. On error it has not.
func (g *Guard) Lock() error {
	g.mu.Lock()
	if g.state != open {
		return g.refuse()
	}
	return nil
}

func (g *Guard) refuse() error {
	defer g.mu.Unlock()
	return g.err
}

// Unlock leaves, and wakes those who wait for what is ready. The caller passes
// what the resource is ready for if Watched said so, and may pass 0 otherwise.
func (g *Guard) Unlock(ready Ready) {
	g.mu.Unlock()
	if ready != 0 {
		g.wake(ready)
		g.watchers.notify(ready)
	}
}

// Watched reports whether anybody waits, so that Unlock must be given the
// Events. The caller holds the lock.
func (g *Guard) Watched() bool {
	return g.in.waiting.Load() || g.out.waiting.Load() || g.watchers.any.Load()
}

// Wake wakes everybody. It is for what happens without a call: an edge. It
// never blocks, and a Wake too many costs one try for each waiter.
func (g *Guard) Wake() {
	g.wake(In | Out)
	g.watchers.notifyAll()
}

func (g *Guard) wake(ready Ready) {
	if ready&In != 0 {
		g.in.wake()
	}
	if ready&Out != 0 {
		g.out.wake()
	}
}

// Close makes an open guard closing: calls return err from now on, and those
// that wait return it now. It calls note first, with the lock held, and reports
// whether it was the one that closed the guard.
func (g *Guard) Close(err error, note func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state != open {
		return false
	}
	note()
	g.state, g.err = closing, err
	close(g.done)
	g.Wake()
	return true
}

// Replace replaces the error that a guard returns which is not open.
func (g *Guard) Replace(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state != open {
		g.err = err
	}
}

// Retire calls release with the lock of a closing guard held, until release has
// returned true once: then the guard is closed, and the resource gone.
func (g *Guard) Retire(release func() bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == closing && release() {
		g.state = closed
	}
}

// Done returns a channel that is closed when the guard isn't open any more.
func (g *Guard) Done() <-chan struct{} { return g.done }

// Err returns nil while the guard is open, and then what calls return.
func (g *Guard) Err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

// Waiting counts the calls that wait, for reports.
func (g *Guard) Waiting() (receives, sends, polls int) {
	return int(g.in.blocked.Load()), int(g.out.blocked.Load()), g.watchers.polls()
}
