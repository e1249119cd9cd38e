package zmqsafe

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Polled is a socket and what it is ready for, as Poll returns it.
type Polled struct {
	Socket *Socket
	Events State
}

// Poller waits for any of several sockets to become ready. See
// https://api.zeromq.org/4-3:zmq-poll. The zero Poller is ready to use.
//
// The sockets may be of different contexts. Any goroutine may call any method at
// any time: a Poll that is under way takes note. Where several goroutines poll one
// socket, all are told of a message that one will get: receive it with DONTWAIT.
// A Poller needs no closing.
//
// A Poll costs what the sockets cost to which something happened since the last
// one, not what all of them cost.
type Poller struct {
	mu   sync.Mutex
	list *pollList // guarded by mu, with all that is in it; made when it is needed
}

// NewPoller creates a Poller.
func NewPoller() *Poller { return new(Poller) }

// Add adds a socket and the events to wait for, POLLIN, POLLOUT or both. It
// returns an id for Update and Remove, which is also the index in what PollAll
// returns. A socket may be added more than once.
//
// A nil or closed socket makes Poll fail.
func (p *Poller) Add(soc *Socket, events State) (id int) {
	l := p.lock()
	defer p.mu.Unlock()
	return l.add(soc, events)
}

// Update changes the events to wait for and returns what they were. The error
// for an id that isn't there is ErrorNoSocket.
func (p *Poller) Update(id int, events State) (previous State, err error) {
	l := p.lock()
	defer p.mu.Unlock()
	return l.update(id, events)
}

// UpdateBySocket is Update for the first id of a socket.
func (p *Poller) UpdateBySocket(soc *Socket, events State) (previous State, err error) {
	l := p.lock()
	defer p.mu.Unlock()
	return l.update(l.find(soc), events)
}

// Remove removes a socket. Higher ids become one less. The error for an id that
// isn't there is ErrorNoSocket.
func (p *Poller) Remove(id int) error {
	l := p.lock()
	defer p.mu.Unlock()
	return l.remove(id)
}

// RemoveBySocket is Remove for the first id of a socket.
func (p *Poller) RemoveBySocket(soc *Socket) error {
	l := p.lock()
	defer p.mu.Unlock()
	return l.remove(l.find(soc))
}

// Poll waits until at least one socket is ready, and returns all that are, in the
// order of adding. A negative timeout is none; with 0 it only looks. Raw cuts the
// timeout to whole milliseconds, this doesn't. After the timeout the list is empty
// and the error nil, as it is at once where no socket was added.
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
	items := slices.Clone(p.lock().items)
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
	queue := p.queue()
	var timer *time.Timer
	var expired <-chan time.Time
	defer func() { stopTimer(timer) }()
	for {
		polled, done, err := p.check(all)
		if done {
			queue.kick() // it may concern others who poll here
			return polled, err
		}
		if timeout == 0 {
			return polled, nil
		}
		if timeout > 0 && timer == nil {
			timer = startTimer(timeout)
			expired = timer.C
		}
		late, err := queue.await(ctx, expired)
		if err != nil {
			return []Polled{}, err
		}
		if late {
			timeout = 0 // one last look
		}
	}
}

func (p *Poller) lock() *pollList {
	p.mu.Lock()
	if p.list == nil {
		p.list = &pollList{contexts: make(map[*contextState]int), queue: newPollQueue()}
		// Only memory hangs on it: a watch that nobody polls for is taken off by the
		// next event of its socket, but that may never come.
		runtime.AddCleanup(p, (*pollList).stop, p.list)
	}
	return p.list
}

func (p *Poller) queue() *pollQueue {
	l := p.lock()
	defer p.mu.Unlock()
	return l.queue
}

// change is Update that does nothing where nothing changes.
func (p *Poller) change(id int, events State) {
	l := p.lock()
	defer p.mu.Unlock()
	if State(l.items[id].events.Load()) != events {
		_, _ = l.update(id, events)
	}
}

// check returns what is ready, and whether a Poll is done with that. If not, the
// queue's wake will tell when to check again.
func (p *Poller) check(all bool) (polled []Polled, done bool, err error) {
	l := p.lock()
	defer p.mu.Unlock()
	return l.check(all)
}
