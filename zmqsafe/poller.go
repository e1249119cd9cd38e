package zmqsafe

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Polled is a socket and what it is ready for.
type Polled struct {
	Socket *Socket
	Events State
}

// Poller waits for any of several sockets to become ready. See
// https://api.zeromq.org/4-3:zmq-poll. The zero Poller is ready to use.
//
// The sockets may be of different contexts. Any goroutine may call any method at
// any time: a Poll that is under way takes note. A Poller needs no closing.
//
// A Poll costs what the sockets cost to which something happened since the last
// one, not what all of them cost.
type Poller struct {
	mu    sync.Mutex
	items []pollItem // guarded by mu
	queue *pollQueue // guarded by mu; made by the first Add
	taken []*watch   // guarded by mu; for check, kept to save allocations
}

// pollItem is one Add.
type pollItem struct {
	soc *Socket
	*watch
}

// NewPoller creates a Poller.
func NewPoller() *Poller { return new(Poller) }

// Add adds a socket and the events to wait for, POLLIN, POLLOUT or both. It
// returns an id for Update and Remove, which is also the index in what PollAll
// returns. A socket may be added more than once.
//
// A nil or closed socket makes Poll fail.
func (p *Poller) Add(soc *Socket, events State) (id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.initLocked()
	w := &watch{queue: p.queue, index: len(p.items)}
	w.s, _ = soc.core()
	w.events.Store(int32(events))
	if w.s != nil {
		// Only memory hangs on it: a watch that nobody polls for is taken off by the
		// next event of its socket, but that may never come.
		w.cleanup = runtime.AddCleanup(p, (*watch).stop, w)
	}
	p.items = append(p.items, pollItem{soc, w})
	p.queue.add(w)
	return w.index
}

// Update changes the events to wait for and returns what they were. The error
// for an id that isn't there is ErrorNoSocket.
func (p *Poller) Update(id int, events State) (previous State, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.updateLocked(id, events)
}

// UpdateBySocket is Update for the first id of a socket.
func (p *Poller) UpdateBySocket(soc *Socket, events State) (previous State, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.updateLocked(p.findLocked(soc), events)
}

// Remove removes a socket. Higher ids become one less. The error for an id that
// isn't there is ErrorNoSocket.
func (p *Poller) Remove(id int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.removeLocked(id)
}

// RemoveBySocket is Remove for the first id of a socket.
func (p *Poller) RemoveBySocket(soc *Socket) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.removeLocked(p.findLocked(soc))
}

// Poll waits until at least one socket is ready, and returns all that are, in the
// order of adding. A negative timeout is none; with 0 it only looks. After the
// timeout the list is empty and the error nil, as it is at once where no socket
// was added.
//
// Closing one of the sockets ends Poll with ErrorSocketClosed, closing its context
// with ETERM; so does one that is closed already. Remove it to go on.
func (p *Poller) Poll(timeout time.Duration) ([]Polled, error) {
	return p.poll(context.Background(), timeout, false)
}

// PollAll is Poll that returns all sockets, in the order of adding, ready or not:
// Events is 0 for those that aren't. On error the list is empty.
func (p *Poller) PollAll(timeout time.Duration) ([]Polled, error) {
	return p.poll(context.Background(), timeout, true)
}

// PollContext is Poll without a timeout that also ends when ctx is done, with
// ctx.Err().
func (p *Poller) PollContext(ctx context.Context) ([]Polled, error) {
	return p.poll(ctx, -1, false)
}

// String lists the sockets and the events to wait for.
func (p *Poller) String() string {
	p.mu.Lock()
	items := slices.Clone(p.items)
	p.mu.Unlock()
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprintf("%v%v", item.soc, State(item.events.Load()))
	}
	return fmt.Sprint("Poller", texts)
}

func (p *Poller) poll(ctx context.Context, timeout time.Duration, all bool) ([]Polled, error) {
	if err := ctx.Err(); err != nil {
		return []Polled{}, err
	}
	var expired <-chan time.Time
	for {
		polled, wake, err := p.check(all)
		if err != nil || wake == nil || timeout == 0 {
			return polled, err
		}
		if timeout > 0 && expired == nil {
			timer := time.NewTimer(timeout)
			defer timer.Stop()
			expired = timer.C
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return []Polled{}, ctx.Err()
		case <-expired:
			return polled, nil
		}
	}
}

// check returns what to return from Poll, and for what to wait if that isn't
// worth returning yet.
func (p *Poller) check(all bool) (polled []Polled, wake <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	polled = []Polled{}
	if len(p.items) == 0 {
		return polled, nil, nil
	}
	p.taken = p.queue.take(p.taken[:0])
	defer func() { clear(p.taken) }()
	slices.SortFunc(p.taken, func(a, b *watch) int { return a.index - b.index })
	if all {
		for _, item := range p.items {
			polled = append(polled, Polled{Socket: item.soc})
		}
	}
	ready := 0
	for i, w := range p.taken {
		if w.removed {
			continue
		}
		soc := p.items[w.index].soc
		events, err := w.check()
		if err != nil {
			p.queue.add(p.taken[i:]...)
			return []Polled{}, nil, err
		}
		if events == 0 {
			continue
		}
		ready++
		p.queue.add(w) // ask again next time
		if all {
			polled[w.index].Events = events
		} else {
			polled = append(polled, Polled{soc, events})
		}
	}
	if ready > 0 {
		return polled, nil, nil
	}
	return polled, p.queue.wake, nil
}

func (p *Poller) initLocked() {
	if p.queue == nil {
		p.queue = newPollQueue()
	}
}

// change is Update that does nothing where nothing changes.
func (p *Poller) change(id int, events State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if State(p.items[id].events.Load()) != events {
		_, _ = p.updateLocked(id, events)
	}
}

// wakeup is what to wait for after check had nothing.
func (p *Poller) wakeup() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.initLocked()
	return p.queue.wake
}

// kick makes one who waits check again.
func (p *Poller) kick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.initLocked()
	p.queue.kick()
}

func (p *Poller) findLocked(soc *Socket) (id int) {
	return slices.IndexFunc(p.items, func(item pollItem) bool { return item.soc == soc })
}

func (p *Poller) updateLocked(id int, events State) (previous State, err error) {
	if id < 0 || id >= len(p.items) {
		return 0, ErrorNoSocket
	}
	w := p.items[id].watch
	previous = State(w.events.Swap(int32(events)))
	p.queue.add(w)
	return previous, nil
}

func (p *Poller) removeLocked(id int) error {
	if id < 0 || id >= len(p.items) {
		return ErrorNoSocket
	}
	w := p.items[id].watch
	w.removed = true
	w.cleanup.Stop()
	w.stop()
	p.items = slices.Delete(p.items, id, id+1)
	for i := range p.items[id:] {
		p.items[id+i].index--
	}
	p.queue.kick() // a Poll of nothing returns
	return nil
}
