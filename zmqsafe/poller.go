package zmqsafe

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/guard"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"
)

// Polled is a socket and what it is ready for, as [Poller.Poll] returns it.
type Polled struct {
	Socket *Socket
	Events State
}

// Poller waits until any of several sockets is ready. See
// https://api.zeromq.org/4-3:zmq-poll. The zero Poller is ready to use.
//
// The sockets may belong to different contexts. Any goroutine may call any
// method at any time: a Poll in progress takes the change into account. If
// several goroutines poll one socket, all of them are notified of a message
// that only one will get: receive it with [DONTWAIT]. A Poller needn't be
// closed.
//
// The cost of a Poll depends on how many sockets had an event since the last
// one, not on how many sockets there are.
type Poller struct {
	mu   lockorder.Mutex[lockorder.Poller]
	list *pollList // guarded by mu, with its contents; made on first use
}

// NewPoller creates a Poller.
func NewPoller() *Poller { return new(Poller) }

// Add adds a socket and the events to wait for: [POLLIN], [POLLOUT] or both. It
// returns an id for [Poller.Update] and [Poller.Remove], which is also the
// index in the result of [Poller.PollAll]. A socket may be added more than
// once.
//
// A nil or closed socket makes Poll fail.
func (p *Poller) Add(soc *Socket, events State) (id int) {
	l := p.lock()
	defer p.mu.Unlock()
	item := pollItem{soc: soc, Watch: guard.NewWatch(l.queue, guard.Ready(events), len(l.items))}
	item.s, _ = soc.core()
	if item.s != nil {
		l.contexts[item.s.c]++
	}
	l.items = append(l.items, item)
	l.queue.Push(item.Watch)
	l.queue.Wake()
	return item.Index
}

// Update changes the events to wait for and returns the previous ones. For an
// unknown id the error is [ErrorNoSocket].
func (p *Poller) Update(id int, events State) (previous State, err error) {
	l := p.lock()
	defer p.mu.Unlock()
	return l.update(id, events)
}

// UpdateBySocket is [Poller.Update] for the first id of a socket.
func (p *Poller) UpdateBySocket(soc *Socket, events State) (previous State, err error) {
	l := p.lock()
	defer p.mu.Unlock()
	return l.update(l.find(soc), events)
}

// Remove removes a socket. Higher ids become one less. For an unknown id the
// error is [ErrorNoSocket].
func (p *Poller) Remove(id int) error {
	l := p.lock()
	defer p.mu.Unlock()
	return l.remove(id)
}

// RemoveBySocket is [Poller.Remove] for the first id of a socket.
func (p *Poller) RemoveBySocket(soc *Socket) error {
	l := p.lock()
	defer p.mu.Unlock()
	return l.remove(l.find(soc))
}

// Poll waits until at least one socket is ready, and returns all that are, in
// the order of adding. A negative timeout means none; with 0, Poll doesn't
// wait. pebbe/zmq4 cuts the timeout to whole milliseconds; this method doesn't.
// After the timeout the list is empty and the error nil. If no socket was
// added, Poll returns that at once.
//
// Closing one of the sockets ends Poll with [ErrorSocketClosed], closing its
// context with ETERM. A socket that is already closed makes Poll fail at once.
// Remove it to go on.
func (p *Poller) Poll(timeout time.Duration) ([]Polled, error) {
	return p.poll(context.Background(), timeout, false)
}

// PollAll is like [Poller.Poll], but returns all sockets, in the order of
// adding; Events is 0 for those that aren't ready. On error the list is empty.
func (p *Poller) PollAll(timeout time.Duration) ([]Polled, error) {
	return p.poll(context.Background(), timeout, true)
}

// PollContext is like [Poller.Poll] without a timeout, but also ends when ctx
// is done, with ctx.Err().
func (p *Poller) PollContext(ctx context.Context) ([]Polled, error) { return p.poll(ctx, -1, false) }

// String lists the sockets and the events that each waits for.
func (p *Poller) String() string {
	items := slices.Clone(p.lock().items)
	p.mu.Unlock()
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprintf("%v%v", item.soc, State(item.Wanted()))
	}
	return fmt.Sprint("Poller", texts)
}

func (p *Poller) poll(ctx context.Context, timeout time.Duration, all bool) ([]Polled, error) {
	if err := ctx.Err(); err != nil {
		return []Polled{}, err
	}
	queue := p.queue()
	var timer *time.Timer
	var expired <-chan time.Time
	defer func() { stopTimer(timer) }()
	for {
		polled, done, err := p.check(all)
		if done {
			queue.Wake() // it may concern other polls of this Poller
			return polled, err
		}
		if timeout == 0 {
			return polled, nil
		}
		if timeout > 0 && timer == nil {
			timer = startTimer(timeout)
			expired = timer.C
		}
		late, err := queue.Wait(ctx, expired)
		if err != nil {
			return []Polled{}, err
		}
		if late {
			timeout = 0 // check once more
		}
	}
}

func (p *Poller) lock() *pollList {
	p.mu.Lock()
	if p.list == nil {
		p.list = &pollList{contexts: make(map[*contextState]int), queue: guard.NewQueue()}
		// This only frees memory: the next event of a socket removes a watch
		// that nobody polls for, but that event may never come.
		runtime.AddCleanup(p, (*pollList).stop, p.list)
	}
	return p.list
}

func (p *Poller) queue() *guard.Queue {
	l := p.lock()
	defer p.mu.Unlock()
	return l.queue
}

// change is Update, but does nothing if the events stay the same.
func (p *Poller) change(id int, events State) {
	l := p.lock()
	defer p.mu.Unlock()
	if State(l.items[id].Wanted()) != events {
		_, _ = l.update(id, events)
	}
}

// check returns the sockets that are ready, and whether a Poll is done with
// that. If not, the queue wakes the caller when it must check again.
func (p *Poller) check(all bool) (polled []Polled, done bool, err error) {
	l := p.lock()
	defer p.mu.Unlock()
	if len(l.items) == 0 {
		return []Polled{}, true, nil
	}
	if err := l.drain(); err != nil {
		return []Polled{}, true, err
	}
	polled = []Polled{}
	if all {
		polled = make([]Polled, len(l.items))
		for i, item := range l.items {
			polled[i].Socket = item.soc
		}
	}
	l.taken = l.queue.Take(l.taken[:0])
	defer func() { clear(l.taken) }() // or it would keep watches that are removed later
	slices.SortFunc(l.taken, func(a, b *guard.Watch) int { return a.Index - b.Index })
	for i, w := range l.taken {
		ready, err := l.items[w.Index].check()
		switch {
		case err != nil:
			l.queue.Push(l.taken[i:]...)
			return []Polled{}, true, err
		case ready == 0:
			continue
		case all:
			polled[w.Index].Events = ready
		case !done:
			polled = make([]Polled, 0, len(l.taken)-i)
			fallthrough
		default:
			polled = append(polled, Polled{l.items[w.Index].soc, ready})
		}
		done = true
	}
	return polled, done, nil
}

// pollList is the state of a Poller, all guarded by its mu. It outlives a
// Poller that was dropped, so nothing that it reaches may point back to the
// Poller.
type pollList struct {
	items    []pollItem
	contexts map[*contextState]int // how many items each has
	queue    *guard.Queue
	taken    []*guard.Watch // for check, kept to save allocations
}

// pollItem is one Add. The Index of its Watch is the index of the item in the
// list.
type pollItem struct {
	soc *Socket
	s   *socketState // nil if soc was never open
	*guard.Watch
}

// drain makes sure that every socket with an event is queued, since the waker
// may not have delivered it yet. A Poll that doesn't wait relies on that.
func (l *pollList) drain() error {
	if l.queue.Len() == len(l.items) {
		return nil
	}
	for c := range l.contexts {
		if err := c.waker.Drain(); err != nil {
			return err
		}
	}
	return nil
}

func (l *pollList) find(soc *Socket) (id int) {
	return slices.IndexFunc(l.items, func(item pollItem) bool { return item.soc == soc })
}

func (l *pollList) update(id int, events State) (previous State, err error) {
	if id < 0 || id >= len(l.items) {
		return 0, ErrorNoSocket
	}
	return State(l.items[id].Want(guard.Ready(events))), nil
}

func (l *pollList) remove(id int) error {
	if id < 0 || id >= len(l.items) {
		return ErrorNoSocket
	}
	item := l.items[id]
	item.stop(l.queue)
	if item.s != nil {
		if l.contexts[item.s.c]--; l.contexts[item.s.c] == 0 {
			delete(l.contexts, item.s.c)
		}
	}
	l.items = slices.Delete(l.items, id, id+1)
	for _, item := range l.items[id:] {
		item.Index--
	}
	l.queue.Wake() // a Poll without sockets returns
	return nil
}

func (l *pollList) stop() {
	for _, item := range l.items {
		item.stop(l.queue)
	}
}

func (item pollItem) check() (State, error) {
	if item.s == nil {
		return 0, ErrorSocketClosed
	}
	ready, err := item.s.Watch(item.Watch)
	return State(ready), err
}

// stop ends the watch for good: it is no longer notified, and no longer in the
// queue.
func (item pollItem) stop(queue *guard.Queue) {
	if item.s != nil {
		item.s.Unwatch(item.Watch)
	}
	queue.Remove(item.Watch)
}

// timers are reused, since a Poll needs its timer only for a moment.
var timers = sync.Pool{New: func() any { return time.NewTimer(time.Hour) }}

func startTimer(d time.Duration) *time.Timer {
	timer := timers.Get().(*time.Timer)
	timer.Reset(d)
	return timer
}

// stopTimer stops what startTimer returned, or nil.
func stopTimer(timer *time.Timer) {
	if timer != nil && timer.Stop() { // a timer that has fired isn't reused
		timers.Put(timer)
	}
}
