package zmqsafe

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// guard is what stands between goroutines and one libzmq socket. Everything
// that touches the socket goes through it (invariants 1 to 3).
//
// States: open → closing → closed, never back; the zero guard is closed.
// Closing means that calls are refused but zmq_close has yet to run.
//
//   - sock may be handed to libzmq only by who holds mu, having seen state under
//     that same hold. mu is held for one call, for all parts of one message, or
//     for a burst of a Proxy, and never while anything is waited for.
//   - A call that would block gives mu back and waits in Go. In each direction
//     one goroutine at a time waits for the socket: the one that has the turn.
//     The others wait for the turn. A goroutine that comes anew tries once
//     before it queues, as with sync.Mutex.
//   - Whoever has the turn sets waiting first, then tries, then waits for wake.
//     wake keeps one token, so what happens between the try and the wait is not
//     lost; a token too many costs one try.
//   - Readiness comes from two places: the edge of ZMQ_FD, seen by the context's
//     waker, and any call on the socket, since each works off the mailbox that
//     both directions share and so may eat that edge. Therefore unlock wakes: a
//     call that ran while somebody waited passes on ZMQ_EVENTS as it is after the
//     call. Reading ZMQ_EVENTS works off the mailbox, too. So a waiter whose try
//     failed, and who learns from it that its own direction is ready by now,
//     tries again at once: the edge for that is gone. It wakes the other
//     direction only for a readiness that libzmq reports, and every try that
//     such a report causes takes something from libzmq, so two waiters can't
//     keep each other busy.
//   - Where POLLOUT doesn't promise that a send succeeds (a ROUTER reports it when
//     any peer has room), a waiter would try for ever. It takes no notice of the
//     report, and tries again after recheck, for the edge that it may have missed.
//   - Polls wait for many sockets, so they wait elsewhere: what wakes waiters is
//     also told to watchers.
//   - gone is closed when the state leaves open. It ends every wait, before
//     close asks for mu: closing never waits for a waiter.
//
// Who waits for whom: a caller for mu (bounded by one message), for the turn
// and for wake (ended by gone, its context or its time-out). Close waits for mu
// only. The waker waits for nobody.
type guard struct {
	mu    sync.Mutex
	state state          // guarded by mu
	sock  unsafe.Pointer // guarded by mu; libzmq's socket until closed
	why   error          // guarded by mu; what calls return once state isn't open

	gone     chan struct{}
	in, out  side
	sides    sync.Once // makes the channels of in and out when they are needed
	watchers watchers  // polls, see there
}

type state uint8

const (
	closed state = iota
	open
	closing
)

// side is one direction of a guard: in for receiving, out for sending.
type side struct {
	turn    chan struct{} // holds a token while nobody waits; the waiter has it
	wake    chan struct{} // a token: try again
	waiting atomic.Bool   // set by the one who has the turn
	blocked atomic.Int32  // how many wait, for the turn or with it; to be told, nothing hangs on it
}

func (g *guard) init(sock unsafe.Pointer) {
	g.state, g.sock, g.gone = open, sock, make(chan struct{})
}

// makeSides comes before waiting is set for the first time, and before that nobody
// but wait looks at the channels.
func (g *guard) makeSides() {
	for _, d := range []*side{&g.in, &g.out} {
		d.turn, d.wake = make(chan struct{}, 1), make(chan struct{}, 1)
		d.turn <- struct{}{}
	}
}

// lock enters the socket. On error it has not.
func (g *guard) lock() error {
	g.mu.Lock()
	if g.state == open {
		return nil
	}
	defer g.mu.Unlock()
	return g.why
}

// unlock leaves the socket and wakes whoever waits for what is ready.
func (g *guard) unlock(ready State) {
	g.mu.Unlock()
	if ready&POLLIN != 0 {
		g.in.kick()
	}
	if ready&POLLOUT != 0 {
		g.out.kick()
	}
	g.watchers.tell(ready)
}

// wakeAll is for what happened without a call. It never blocks.
func (g *guard) wakeAll() {
	g.in.kick()
	g.out.kick()
	g.watchers.tellAll()
}

// watched reports whether somebody waits, so that a call must pass ZMQ_EVENTS
// to unlock. The caller holds mu.
func (g *guard) watched() bool {
	return g.in.waiting.Load() || g.out.waiting.Load() || g.watchers.any.Load()
}

// kick makes the waiter try again. It never blocks.
func (d *side) kick() {
	if !d.waiting.Load() {
		return
	}
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// recheck is after what time a sender tries again that POLLOUT tells nothing.
const recheck = 20 * time.Millisecond

// wait calls try under mu until it returns something else than EAGAIN, and
// waits in between for the socket to become ready in direction dir, POLLIN or
// POLLOUT. It gives up when the guard leaves open (the error is why), when ctx
// is done (ctx.Err) and after timeout (EAGAIN); a negative timeout is none.
// Giving up takes nothing from the socket and puts nothing into it.
//
// try is told whether somebody else waits, and returns ZMQ_EVENTS if so. exact
// says that dir in ZMQ_EVENTS means that try succeeds.
func (g *guard) wait(ctx context.Context, dir State, exact bool, timeout time.Duration, try func(watched bool) (State, error)) error {
	g.sides.Do(g.makeSides)
	d, other := &g.in, &g.out
	if dir == POLLOUT {
		d, other = other, d
	}
	var expired, due <-chan time.Time
	if timeout >= 0 {
		timer := startTimer(timeout)
		defer stopTimer(timer)
		expired = timer.C
	}
	if !exact {
		ticker := time.NewTicker(recheck)
		defer ticker.Stop()
		due = ticker.C
	}
	d.blocked.Add(1)
	defer d.blocked.Add(-1)
	if err := g.await(ctx, d.turn, nil, expired); err != nil {
		return err
	}
	d.waiting.Store(true)
	defer func() {
		d.waiting.Store(false)
		d.turn <- struct{}{}
	}()
	for {
		if err := g.lock(); err != nil {
			return err
		}
		ready, err := try(other.waiting.Load() || g.watchers.any.Load())
		g.unlock(ready &^ dir) // this waiter knows
		g.watchers.tell(ready) // polls don't
		if err != errAgain {
			return err
		}
		if exact && ready&dir != 0 {
			continue
		}
		if err := g.await(ctx, d.wake, due, expired); err != nil {
			return err
		}
	}
}

// await waits for a token, or until due.
func (g *guard) await(ctx context.Context, token <-chan struct{}, due, expired <-chan time.Time) error {
	select {
	case <-token:
		return nil
	case <-due:
		return nil
	case <-g.gone:
		return g.reason()
	case <-ctx.Done():
		return ctx.Err()
	case <-expired:
		return errAgain
	}
}

func (g *guard) reason() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.why
}
