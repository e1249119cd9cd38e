package zmqsafe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"
)

// Reactor calls handlers for sockets that are ready and for values from
// channels, one at a time, on the goroutine of [Reactor.Run]. The zero Reactor
// is ready to use.
//
// Any goroutine, handlers included, may call any method at any time: a Run in
// progress takes the change into account at once. Unlike pebbe/zmq4's, a
// Reactor waits for sockets and channels together, starts no goroutines, and
// takes a value from a channel only when it is about to call the handler.
type Reactor struct {
	poller  Poller
	running atomic.Bool
	verbose atomic.Bool

	mu       lockorder.Mutex[lockorder.Reactor]
	sockets  map[*Socket]reactorSocket // guarded by mu
	channels []*reactorChannel         // guarded by mu; a slice that list has returned is never changed
	lastID   uint64                    // guarded by mu
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

// AddSocket adds a handler, which is called whenever the socket is ready for
// one of events, with what it is ready for. A socket has one handler: a second
// one replaces the first. The handler should receive or send; otherwise it is
// called again at once.
func (r *Reactor) AddSocket(soc *Socket, events State, handler func(State) error) {
	if handler == nil {
		handler = func(State) error { return invalid("Reactor.AddSocket(%v): the handler is nil; want a function", soc) }
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

// AddChannel adds a handler, which is called with the values from a channel: at
// most limit of them in a row, before sockets and other channels are served, or
// any number if limit is 0 or less. It returns an id for
// [Reactor.RemoveChannel]. A channel that is closed is removed.
func (r *Reactor) AddChannel(ch <-chan any, limit int, handler func(any) error) (id uint64) {
	return r.addChannel(reflect.ValueOf(ch), limit, handler)
}

// AddChannelTime is [Reactor.AddChannel] for a timer or ticker.
func (r *Reactor) AddChannelTime(ch <-chan time.Time, limit int, handler func(any) error) (id uint64) {
	return r.addChannel(reflect.ValueOf(ch), limit, handler)
}

func (r *Reactor) addChannel(values reflect.Value, limit int, handler func(any) error) (id uint64) {
	if handler == nil {
		handler = func(any) error { return invalid("Reactor.AddChannel: the handler is nil; want a function") }
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lastID++
	r.channels = append(r.channels, &reactorChannel{id: r.lastID, values: values, limit: limit, handler: handler})
	r.poller.queue().Wake()
	return r.lastID
}

// RemoveChannel removes the handler of a channel, if there is one. If another
// goroutine than Run's calls it, a value that arrives at the same time may
// still be handled.
func (r *Reactor) RemoveChannel(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.channels = slices.DeleteFunc(slices.Clone(r.channels), func(c *reactorChannel) bool {
		if c.id == id {
			c.removed.Store(true)
		}
		return c.id == id
	})
	r.poller.queue().Wake()
}

// SetVerbose sets whether events are logged, with [slog.Info].
func (r *Reactor) SetVerbose(verbose bool) { r.verbose.Store(verbose) }

// Run runs the reactor until a handler returns an error, and returns that
// error. Like [Poller.Poll] it ends when a socket or its context is closed:
// remove a socket before its Close to go on without it. Having nothing to wait
// for is an error, too.
//
// The interval is there for compatibility. In pebbe/zmq4 channels wait that
// long for sockets, so with channels it must be positive. Here nothing waits
// for it, but with channels a negative interval is still an error.
func (r *Reactor) Run(interval time.Duration) error { return r.run(context.Background(), interval < 0) }

// RunContext is like [Reactor.Run], but also ends when ctx is done, with
// ctx.Err(). It waits for a handler that is running.
func (r *Reactor) RunContext(ctx context.Context) error { return r.run(ctx, false) }

func (r *Reactor) run(ctx context.Context, socketsOnly bool) error {
	if !r.running.CompareAndSwap(false, true) {
		return errors.New("zmqsafe: Reactor: already running; want one Run at a time")
	}
	defer r.running.Store(false)
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

// list returns the channels, oldest first. It fails if there is nothing to run
// for.
func (r *Reactor) list(socketsOnly bool) ([]*reactorChannel, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.sockets) == 0 && len(r.channels) == 0:
		return nil, errors.New("zmqsafe: Reactor: no sockets to poll, no channels to read")
	case socketsOnly && len(r.channels) > 0:
		return nil, errors.New("zmqsafe: Reactor: there are channels, but the interval is negative; want 0 or more")
	}
	return r.channels, nil
}

// drain handles the values that are in the channels, within their limits.
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

// wait waits until there is something to do, and handles it if it is a value. A
// change made after the call of list ends the wait; the check before has
// consumed the notifications of earlier changes.
func (r *Reactor) wait(ctx context.Context, socketsOnly bool) error {
	channels, err := r.list(socketsOnly)
	if err != nil {
		return err
	}
	var i int
	var v reflect.Value
	var ok bool
	const first = 2 // index of the first channel in cases
	r.poller.queue().Block(func(wake <-chan struct{}) {
		cases := []reflect.SelectCase{
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(wake)},
		}
		for _, c := range channels {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: c.values})
		}
		i, v, ok = reflect.Select(cases)
	})
	if i < first {
		return nil
	}
	return r.handleValue(channels[i-first], v, ok)
}

func (r *Reactor) handleValue(c *reactorChannel, v reflect.Value, ok bool) error {
	if !ok {
		r.log().Info("zmqsafe: reactor: channel is closed; removing it", "channel", c.id)
		r.RemoveChannel(c.id)
		return nil
	}
	r.log().Info("zmqsafe: reactor: value", "channel", c.id, "value", shown{v.Interface()})
	return handle(c.handler, v.Interface())
}

func (r *Reactor) handleSocket(item Polled) error {
	r.mu.Lock()
	soc, events := r.sockets[item.Socket], item.Events
	r.mu.Unlock()
	if events &= soc.events; events == 0 {
		return nil // removed or replaced by another handler
	}
	r.log().Info("zmqsafe: reactor: socket is ready", "socket", item.Socket, "events", events)
	return handle(soc.handler, events)
}

// handling counts the handlers that run now, of all Reactors of the process:
// while one does, Socket.Close doesn't wait.
var handling atomic.Int32

func handle[V any](handler func(V) error, v V) error {
	handling.Add(1)
	defer handling.Add(-1)
	return handler(v)
}

// log returns the logger for what is handled, see SetVerbose.
func (r *Reactor) log() *slog.Logger {
	if !r.verbose.Load() {
		return silent
	}
	return defaultLogger().With("reactor", fmt.Sprintf("%p", r))
}

// shown is a value in the log. It becomes text before the handler gets it, if
// it refers to something: a logger may be late, and the value the program's.
type shown struct{ value any }

func (s shown) LogValue() slog.Value {
	v := slog.AnyValue(s.value).Resolve()
	switch v.Kind() {
	case slog.KindAny, slog.KindGroup:
		return slog.StringValue(fmt.Sprintf("%+v", v.Any()))
	}
	return v
}

var silent = slog.New(slog.DiscardHandler)
