package zmqsafe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Reactor calls handlers for sockets that are ready and for values from channels,
// one at a time, on the goroutine of Run. The zero Reactor is ready to use.
//
// Any goroutine may call any method at any time, handlers included, and a Run
// that is under way takes note at once. Unlike raw's it waits for sockets and
// channels together, starts no goroutines, and takes no value from a channel
// before its handler is about to be called.
type Reactor struct {
	poller Poller

	mu       sync.Mutex
	sockets  map[*Socket]reactorSocket // guarded by mu
	channels []*reactorChannel         // guarded by mu; what list returned is never changed
	lastID   uint64                    // guarded by mu
	running  bool                      // guarded by mu
	verbose  bool                      // guarded by mu
}

type reactorSocket struct {
	events  State
	handler func(State) error
}

type reactorChannel struct {
	removed atomic.Bool
	id      uint64
	values  reflect.Value
	limit   int
	handler func(any) error
}

// NewReactor creates a Reactor.
func NewReactor() *Reactor { return new(Reactor) }

// AddSocket has handler called whenever the socket is ready for one of events,
// with what it is ready for. A socket has one handler: a second one replaces the
// first. The handler should receive or send, or it is called again at once.
func (r *Reactor) AddSocket(soc *Socket, events State, handler func(State) error) {
	if handler == nil {
		handler = func(State) error { return invalid("Reactor.AddSocket(%v): the handler is nil", soc) }
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_ = r.poller.RemoveBySocket(soc)
	if r.sockets == nil {
		r.sockets = make(map[*Socket]reactorSocket)
	}
	r.sockets[soc] = reactorSocket{events, handler}
	r.poller.Add(soc, events)
}

// RemoveSocket removes the handler of a socket, if there is one.
func (r *Reactor) RemoveSocket(soc *Socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sockets, soc)
	_ = r.poller.RemoveBySocket(soc)
}

// AddChannel has handler called with the values from a channel, at most limit in
// a row before sockets and other channels have their turn; without a limit (0 or
// less) as many as there are. It returns an id for RemoveChannel. A channel that
// is closed is removed.
func (r *Reactor) AddChannel(ch <-chan any, limit int, handler func(any) error) (id uint64) {
	return r.addChannel(reflect.ValueOf(ch), limit, handler)
}

// AddChannelTime is AddChannel for a timer or ticker.
func (r *Reactor) AddChannelTime(ch <-chan time.Time, limit int, handler func(any) error) (id uint64) {
	return r.addChannel(reflect.ValueOf(ch), limit, handler)
}

func (r *Reactor) addChannel(values reflect.Value, limit int, handler func(any) error) (id uint64) {
	if handler == nil {
		handler = func(any) error { return invalid("Reactor.AddChannel: the handler is nil") }
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastID++
	r.channels = append(r.channels, &reactorChannel{id: r.lastID, values: values, limit: limit, handler: handler})
	r.poller.queue().kick()
	return r.lastID
}

// RemoveChannel removes the handler of a channel, if there is one. A value that
// comes while another goroutine removes it may still be handled.
func (r *Reactor) RemoveChannel(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.channels = slices.DeleteFunc(slices.Clone(r.channels), func(c *reactorChannel) bool {
		if c.id == id {
			c.removed.Store(true)
		}
		return c.id == id
	})
	r.poller.queue().kick()
}

// SetVerbose has what is handled logged, through log/slog.
func (r *Reactor) SetVerbose(verbose bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verbose = verbose
}

// Run runs the reactor until a handler returns an error, and returns that. It
// ends as Poll does when a socket or its context is closed: remove a socket
// before its Close to go on without it. And it is an error to have nothing to
// wait for.
//
// The interval is raw's: there it is how long channels wait for sockets, so it
// has to be positive where there are channels. Here nothing waits for it; negative
// with channels is still an error.
func (r *Reactor) Run(interval time.Duration) error {
	return r.run(context.Background(), interval < 0)
}

// RunContext is Run that also ends when ctx is done, with ctx.Err(). A handler
// that runs is waited for.
func (r *Reactor) RunContext(ctx context.Context) error { return r.run(ctx, false) }

func (r *Reactor) run(ctx context.Context, socketsOnly bool) error {
	if err := r.begin(); err != nil {
		return err
	}
	defer r.end()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		channels, err := r.list(socketsOnly)
		if err != nil {
			return err
		}
		handled, err := r.drain(ctx, channels)
		if err != nil {
			return err
		}
		polled, _, err := r.poller.check(false)
		if err != nil {
			return err
		}
		for _, item := range polled {
			if err := r.handleSocket(item); err != nil {
				return err
			}
		}
		if !handled && len(polled) == 0 {
			if err := r.wait(ctx, socketsOnly); err != nil {
				return err
			}
		}
	}
}

func (r *Reactor) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running {
		return errors.New("zmqsafe: the Reactor is running already")
	}
	r.running = true
	return nil
}

func (r *Reactor) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = false
}

// list returns the channels, oldest first, if there is something to run for.
func (r *Reactor) list(socketsOnly bool) ([]*reactorChannel, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.sockets) == 0 && len(r.channels) == 0:
		return nil, errors.New("zmqsafe: Reactor: no sockets to poll, no channels to read")
	case socketsOnly && len(r.channels) > 0:
		return nil, errors.New("zmqsafe: Reactor: there are channels, but the interval is negative; want a positive one")
	}
	return r.channels, nil
}

// drain handles what is in the channels, within their limits.
func (r *Reactor) drain(ctx context.Context, channels []*reactorChannel) (handled bool, err error) {
	for _, c := range channels {
		for n := 0; (c.limit <= 0 || n < c.limit) && !c.removed.Load() && ctx.Err() == nil; n++ {
			v, ok := c.values.TryRecv()
			if !v.IsValid() {
				break // nothing there
			}
			handled = true
			if err := r.handleValue(c, v, ok); err != nil {
				return handled, err
			}
		}
	}
	return handled, nil
}

// wait waits until there is something to do, and does it if it is a value. What is
// added or removed from the list on ends it; the check before has used up what told
// of earlier changes.
func (r *Reactor) wait(ctx context.Context, socketsOnly bool) error {
	channels, err := r.list(socketsOnly)
	if err != nil {
		return err
	}
	queue := r.poller.queue()
	cases := []reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(queue.wake)},
	}
	first := len(cases)
	for _, c := range channels {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: c.values})
	}
	queue.blocked.Add(1)
	i, v, ok := reflect.Select(cases)
	queue.blocked.Add(-1)
	if i < first {
		return nil
	}
	return r.handleValue(channels[i-first], v, ok)
}

func (r *Reactor) handleValue(c *reactorChannel, v reflect.Value, ok bool) error {
	if !ok {
		r.say("channel is closed: removing it", "channel", c.id)
		r.RemoveChannel(c.id)
		return nil
	}
	r.say("value", "channel", c.id, "value", v.Interface())
	return c.handler(v.Interface())
}

func (r *Reactor) handleSocket(item Polled) error {
	r.mu.Lock()
	soc, events := r.sockets[item.Socket], item.Events
	r.mu.Unlock()
	if events &= soc.events; events == 0 {
		return nil // removed or replaced by another handler
	}
	r.say("ready", "socket", item.Socket, "events", events)
	return soc.handler(events)
}

func (r *Reactor) say(what string, args ...any) {
	r.mu.Lock()
	verbose := r.verbose
	r.mu.Unlock()
	if verbose {
		slog.Info(fmt.Sprintf("Reactor(%p) %s", r, what), args...)
	}
}
