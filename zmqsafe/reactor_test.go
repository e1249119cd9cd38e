package zmqsafe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errStop = errors.New("stop")

func stopHandler(any) error { return errStop }

// run runs the reactor in another goroutine, until the end of the test at the
// latest.
func run(t testing.TB, r *Reactor) <-chan error {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended, result := make(chan struct{}), make(chan error, 1)
	go func() {
		defer close(ended)
		result <- r.RunContext(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		waitFor(t, "Run", ended)
	})
	return result
}

// reader returns a handler that receives from a socket and passes the message
// on.
func reader(soc *Socket, got chan<- string) func(State) error {
	return func(State) error {
		msg, err := soc.Recv(DONTWAIT)
		if err == nil {
			got <- msg
		}
		return err
	}
}

func TestReactorHandlesSocketsAndChannels(t *testing.T) {
	pulls, pushes := newPullers(t, 2)
	var r Reactor
	got := make(chan string, 1)
	for i, pull := range pulls {
		r.AddSocket(pull, POLLOUT, func(State) error { return errors.New("replaced") })
		r.AddSocket(pull, POLLIN, func(events State) error {
			assert.Equal(t, POLLIN, events)
			return reader(pulls[i], got)(events)
		})
	}
	require.Equal(t, newPollerOf(POLLIN, pulls...).String(), r.poller.String())
	values, times, stop := make(chan any), make(chan time.Time), make(chan any)
	handler := func(v any) error { got <- fmt.Sprint(v); return nil }
	require.Equal(t, uint64(1), r.AddChannel(values, 0, handler))
	require.Equal(t, uint64(2), r.AddChannelTime(times, 1, handler))
	require.Equal(t, uint64(3), r.AddChannel(stop, 1, stopHandler))
	running := run(t, &r)
	now := time.Now()
	for range 10 {
		sendText(t, pushes[0], "a")
		require.Equal(t, "a", waitFor(t, "first socket", got))
		sendText(t, pushes[1], "b")
		require.Equal(t, "b", waitFor(t, "second socket", got))
		values <- 42
		require.Equal(t, "42", waitFor(t, "channel", got))
		values <- nil
		require.Equal(t, "<nil>", waitFor(t, "channel with nil", got))
		times <- now
		require.Equal(t, now.String(), waitFor(t, "channel of times", got))
	}
	stop <- nil
	require.Equal(t, errStop, waitFor(t, "Run", running), "the handler's own error")
}

func TestReactorTicks(t *testing.T) {
	r := NewReactor()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	ticks := 0
	r.AddChannelTime(ticker.C, 1, func(v any) error {
		assert.WithinDuration(t, time.Now(), v.(time.Time), limit)
		if ticks++; ticks == 3 {
			return errStop
		}
		return nil
	})
	bounded(t, "Run", func() { require.Equal(t, errStop, r.Run(time.Hour)) })
	require.Equal(t, 3, ticks)
}

// Every change to a reactor, made while it waits, by other goroutines and by
// handlers.
func TestReactorChangesWhileRunning(t *testing.T) {
	pulls, pushes := newPullers(t, 2)
	got := make(chan string, 1)
	handler := func(v any) error { got <- fmt.Sprint(v); return nil }
	for name, from := range map[string]func(r *Reactor) func(func()){
		"by others": func(*Reactor) func(func()) { return func(f func()) { f() } },
		"by a handler": func(r *Reactor) func(func()) {
			changes := make(chan any)
			r.AddChannel(changes, 1, func(f any) error { f.(func())(); return nil })
			return func(f func()) {
				done := make(chan struct{})
				changes <- func() { f(); close(done) }
				waitFor(t, "change", done)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReactor()
			var idle chan any
			r.AddChannel(idle, 1, handler) // otherwise Run might have nothing to wait for
			change := from(r)
			running := run(t, r)

			change(func() { r.AddSocket(pulls[0], POLLIN, reader(pulls[0], got)) })
			sendText(t, pushes[0], "socket")
			require.Equal(t, "socket", waitFor(t, "added socket", got))
			sendText(t, pushes[1], "was there")
			change(func() { r.AddSocket(pulls[1], POLLIN, reader(pulls[1], got)) })
			require.Equal(t, "was there", waitFor(t, "socket that was ready", got))

			ch := make(chan any, 1)
			var id uint64
			change(func() { id = r.AddChannel(ch, 1, handler) })
			ch <- "value"
			require.Equal(t, "value", waitFor(t, "added channel", got))

			change(func() { r.AddSocket(pulls[0], POLLIN, func(State) error { return errStop }) })
			change(func() { r.RemoveSocket(pulls[0]); r.RemoveChannel(id) })
			sendText(t, pushes[0], "nobody's")
			sendText(t, pushes[1], "next")
			require.Equal(t, "next", waitFor(t, "the socket that was left", got))
			change(func() { r.AddSocket(pulls[1], POLLIN, func(State) error { return errStop }) })
			sendText(t, pushes[1], "last")
			require.Equal(t, errStop, waitFor(t, "Run, by the second handler", running))
			for _, pull := range pulls {
				empty(pull)
			}
		})
	}
}

func TestReactorLimit(t *testing.T) {
	pulls, pushes := newPullers(t, 1)
	for limit, want := range map[int]string{
		1:  "acSacSacSacSacS",
		3:  "aaacccSaaccS",
		0:  "aaaaacccccS",
		-1: "aaaaacccccS",
	} {
		r := NewReactor()
		var order bytes.Buffer
		a, c := make(chan any, 5), make(chan any, 5)
		for range 5 {
			a <- 'a'
			c <- 'c'
		}
		handler := func(v any) error { order.WriteRune(v.(rune)); return nil }
		r.AddChannel(a, limit, handler)
		r.AddChannel(c, limit, handler)
		sendText(t, pushes[0], "")
		r.AddSocket(pulls[0], POLLIN, func(State) error {
			order.WriteRune('S')
			if len(a)+len(c) == 0 {
				return errStop
			}
			return nil
		})
		bounded(t, "Run", func() { require.Equal(t, errStop, r.Run(time.Hour)) })
		require.Equal(t, want, order.String(), "limit %d", limit)
		empty(pulls[0])
	}
}

// A closed channel is removed once its values are handled.
func TestReactorClosedChannels(t *testing.T) {
	r := NewReactor()
	var got []any
	handler := func(v any) error { got = append(got, v); return nil }
	values, times := make(chan any, 2), make(chan time.Time)
	values <- 1
	values <- 2
	close(values)
	close(times)
	r.AddChannel(values, 1, handler)
	r.AddChannelTime(times, 0, handler)
	bounded(t, "Run", func() { require.ErrorContains(t, r.Run(0), "no sockets to poll, no channels to read") })
	require.Equal(t, []any{1, 2}, got)

	closing := make(chan any)
	r.AddChannel(closing, 0, handler)
	running := run(t, r)
	close(closing)
	require.ErrorContains(t, waitFor(t, "Run", running), "no sockets to poll, no channels to read")
}

// Run ends when the last socket or channel is removed.
func TestReactorWithNothingLeft(t *testing.T) {
	pulls, _ := newPullers(t, 1)
	r := NewReactor()
	r.AddSocket(pulls[0], POLLIN, func(State) error { return errStop })
	running := run(t, r)
	waitUntilPolling(t, &r.poller)
	r.RemoveSocket(pulls[0])
	require.ErrorContains(t, waitFor(t, "Run", running), "no sockets to poll, no channels to read")

	for i := range 20 {
		id := r.AddChannel(make(chan any), 1, stopHandler)
		running = run(t, r)
		time.AfterFunc(time.Duration(i)*10*time.Microsecond, func() { r.RemoveChannel(id) })
		require.ErrorContains(t, waitFor(t, "Run", running), "no sockets to poll, no channels to read")
	}
}

// Changes come while Run is anywhere between two waits, and nothing else ends
// the second wait.
func TestReactorMissesNoChange(t *testing.T) {
	pulls, _ := newPullers(t, 1)
	r := NewReactor()
	r.AddSocket(pulls[0], POLLIN, func(State) error { return errStop })
	for range 1000 { // so that Run takes a moment from one wait to the next
		r.AddChannel(nil, 1, stopHandler)
	}
	run(t, r)
	bounded(t, "changes", func() {
		values, handled := make(chan any), make(chan any, 1)
		for n := range rounds(400) {
			id := r.AddChannel(values, 1, func(v any) error { handled <- v; return nil })
			values <- "v"
			<-handled
			r.RemoveChannel(id)
			for range n {
				runtime.Gosched()
			}
		}
	})
}

// A handler that removes a channel doesn't make the others miss their turn.
func TestReactorKeepsOrder(t *testing.T) {
	r := NewReactor()
	var order []any
	for i := range 5 {
		ch := make(chan any, 1)
		ch <- i
		var id uint64
		id = r.AddChannel(ch, 0, func(v any) error {
			r.RemoveChannel(id)
			order = append(order, v)
			return nil
		})
	}
	bounded(t, "Run", func() { require.Error(t, r.Run(time.Second)) })
	require.Equal(t, []any{0, 1, 2, 3, 4}, order)
}

func TestReactorMisused(t *testing.T) {
	pulls, pushes := newPullers(t, 1)
	nothing := func(any) error { return nil }
	values := make(chan any, 1)
	values <- 1
	for want, prepare := range map[string]func(r *Reactor){
		"no sockets to poll": func(*Reactor) {},
		"interval is negative": func(r *Reactor) {
			r.AddChannel(make(chan any), 0, nothing)
		},
		"AddChannel: the handler is nil": func(r *Reactor) {
			r.AddChannel(values, 0, nil)
			r.AddSocket(pulls[0], POLLIN, func(State) error { return errStop })
		},
		"AddSocket(Socket(PULL": func(r *Reactor) {
			sendText(t, pushes[0], "x")
			r.AddSocket(pulls[0], POLLIN, nil)
		},
		ErrorSocketClosed.Error(): func(r *Reactor) {
			r.AddSocket(nil, POLLIN, func(State) error { return errStop })
		},
	} {
		r := NewReactor()
		prepare(r)
		interval := time.Hour
		if want == "interval is negative" {
			interval = -1
		}
		bounded(t, "Run", func() { require.ErrorContains(t, r.Run(interval), want) })
	}

	r := NewReactor()
	r.RemoveSocket(pulls[0]) // it was never added
	r.RemoveChannel(7)
	r.AddSocket(pulls[0], POLLIN, func(State) error { return errStop })
	bounded(t, "Run", func() { require.Equal(t, errStop, r.Run(-1), "without channels") })
}

// A nil channel never has a value, as in select.
func TestReactorNilChannel(t *testing.T) {
	r := NewReactor()
	id := r.AddChannel(nil, 0, stopHandler)
	r.AddChannelTime(nil, 0, stopHandler)
	stop := make(chan any)
	r.AddChannel(stop, 0, stopHandler)
	running := run(t, r)
	r.RemoveChannel(id)
	stop <- nil
	require.Equal(t, errStop, waitFor(t, "Run", running))
}

func TestReactorRunsOnceAtATime(t *testing.T) {
	r := NewReactor()
	work := make(chan any)
	r.AddChannel(work, 1, func(v any) error {
		assert.ErrorContains(t, r.Run(time.Second), "already running; want one Run", "within a handler")
		if v == nil {
			panic("a handler's")
		}
		return v.(error)
	})
	for range 3 { // and again after it has ended
		running := run(t, r)
		require.Eventually(t, r.running.Load, limit, time.Microsecond)
		require.ErrorContains(t, r.Run(time.Second), "already running; want one Run")
		work <- errStop
		require.Equal(t, errStop, waitFor(t, "Run", running))
	}
	panicked := make(chan any)
	go func() {
		defer func() { panicked <- recover() }()
		_ = r.Run(time.Second)
	}()
	work <- nil
	require.Equal(t, "a handler's", waitFor(t, "Run", panicked))
	running := run(t, r)
	work <- errStop
	require.Equal(t, errStop, waitFor(t, "Run", running))
}

func TestReactorRunContext(t *testing.T) {
	for name, prepare := range map[string]func(r *Reactor, cancel func()){
		"waiting": func(r *Reactor, cancel func()) {
			pull := newSocket(t, newContext(t), PULL)
			r.AddSocket(pull, POLLIN, func(State) error { return errStop })
			go func() {
				waitUntilPolling(t, &r.poller)
				cancel()
			}()
		},
		"waiting for channels": func(r *Reactor, cancel func()) {
			values := make(chan any)
			r.AddChannel(values, 1, func(any) error { return nil })
			go func() {
				values <- 1
				cancel()
			}()
		},
		"busy with a channel": func(r *Reactor, cancel func()) {
			busy := make(chan any, 1)
			busy <- 0
			r.AddChannel(busy, 0, func(n any) error {
				if n == 10 {
					cancel()
				}
				busy <- n.(int) + 1
				return nil
			})
		},
		"busy with a socket": func(r *Reactor, cancel func()) {
			n := 0
			pub := newSocket(t, newContext(t), PUB)
			r.AddSocket(pub, POLLOUT, func(State) error {
				if n++; n == 10 {
					cancel()
				}
				return nil
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReactor()
			ctx, cancel := context.WithCancel(context.Background())
			prepare(r, cancel)
			bounded(t, "RunContext", func() {
				require.ErrorIs(t, r.RunContext(ctx), context.Canceled)
				require.ErrorIs(t, r.RunContext(ctx), context.Canceled)
			})
		})
	}
}

func TestReactorIsEnded(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(ctx *Context, soc *Socket) error
		want error
	}{
		"Close": {func(_ *Context, soc *Socket) error { return soc.Close() }, ErrorSocketClosed},
		"Term":  {func(ctx *Context, _ *Socket) error { return ctx.Term() }, ETERM},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := newContext(t)
			soc := newSocket(t, ctx, PULL)
			for _, byHandler := range []bool{true, false} {
				if soc.String() == "Socket(CLOSED)" {
					ctx = newContext(t)
					soc = newSocket(t, ctx, PULL)
				}
				r := NewReactor()
				r.AddSocket(soc, POLLIN, func(State) error { return errStop })
				work := make(chan any)
				r.AddChannel(work, 0, func(any) error {
					if byHandler {
						return c.end(ctx, soc)
					}
					return nil
				})
				running := run(t, r)
				work <- nil // the handler runs
				if !byHandler {
					require.NoError(t, c.end(ctx, soc))
				}
				require.Equal(t, c.want, waitFor(t, "Run", running))
			}
		})
	}
}

// A removed socket may be closed, even by the handler of another one.
func TestReactorGoesOnWithoutRemovedSocket(t *testing.T) {
	pulls, pushes := newPullers(t, 2)
	for _, push := range pushes {
		sendText(t, push, "x")
	}
	r := NewReactor()
	r.AddSocket(pulls[0], POLLIN, func(State) error {
		r.RemoveSocket(pulls[1]) // which is ready
		if err := pulls[1].Close(); err != nil {
			return err
		}
		_, err := pulls[0].Recv(DONTWAIT)
		return err
	})
	r.AddSocket(pulls[1], POLLIN, func(State) error { return errors.New("removed") })
	stop := make(chan any)
	r.AddChannel(stop, 1, stopHandler)
	running := run(t, r)
	for range 10 {
		sendText(t, pushes[0], "and again")
	}
	require.Eventually(t, func() bool { // all values are handled
		events, err := pulls[0].GetEvents()
		return err == nil && events == 0
	}, limit, time.Microsecond)
	stop <- nil
	require.Equal(t, errStop, waitFor(t, "Run", running))
}

// A handler that replaces another one in the same round is called only for its
// own events.
func TestReactorReplacedHandler(t *testing.T) {
	a, b := newPair(t, newContext(t), PAIR, PAIR, inproc(t))
	first, _ := newPair(t, newContext(t), PAIR, PAIR, inproc(t))
	sendText(t, b, "x")
	r := NewReactor()
	r.AddSocket(first, POLLOUT, func(State) error {
		r.RemoveSocket(first)
		r.AddSocket(a, POLLOUT, func(events State) error {
			assert.Equal(t, POLLOUT, events)
			return errStop
		})
		return nil
	})
	r.AddSocket(a, POLLIN, func(State) error { return errors.New("replaced") })
	bounded(t, "Run", func() { require.Equal(t, errStop, r.Run(-1)) })
}

// Two reactors are stopped by one value each: neither takes more than it
// handles.
func TestReactorsShareAChannel(t *testing.T) {
	pulls, pushes := newPullers(t, 2)
	for _, ch := range []chan any{make(chan any), make(chan any, 10)} {
		var running []<-chan error
		for i := range 2 {
			r := NewReactor()
			r.AddChannel(ch, 0, stopHandler)
			r.AddSocket(pulls[i], POLLIN, func(State) error { _, err := pulls[i].Recv(DONTWAIT); return err })
			running = append(running, run(t, r))
			sendText(t, pushes[i], "x")
		}
		for range 2 {
			ch <- nil
		}
		for _, ended := range running {
			require.Equal(t, errStop, waitFor(t, "Run", ended))
		}
	}
	times := make(chan time.Time, 3)
	for range cap(times) {
		times <- time.Now()
	}
	for left := cap(times) - 1; left >= 0; left-- {
		r := NewReactor()
		r.AddChannelTime(times, 0, stopHandler)
		require.Equal(t, errStop, r.Run(time.Second))
		require.Len(t, times, left)
	}
}

func TestReactorVerbose(t *testing.T) {
	var log syncBuffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	pulls, pushes := newPullers(t, 1)
	r := NewReactor()
	values, closed := make(chan any, 1), make(chan any)
	values <- "a value"
	close(closed)
	r.AddChannel(values, 1, func(any) error { return nil })
	r.AddChannel(closed, 1, func(any) error { return nil })
	r.AddSocket(pulls[0], POLLIN, func(State) error { return errStop })
	sendText(t, pushes[0], "x")
	r.SetVerbose(true)
	require.Equal(t, errStop, r.Run(time.Second))
	for _, want := range []string{`value="a value"`, "closed", "channel=2", "Socket(PULL", "events=POLLIN"} {
		require.Eventually(t, func() bool { return strings.Contains(log.String(), want) }, limit, time.Millisecond, want)
	}
	said := log.String()
	r.SetVerbose(false)
	require.Equal(t, errStop, r.Run(time.Second))
	require.Equal(t, said, log.String())
}

// Everything at once, for the race detector: each message and each value is
// handled while others are added and removed.
func TestReactorUnderChange(t *testing.T) {
	const goroutines = 3
	n := rounds(100)
	pulls, pushes := newPullers(t, goroutines)
	others, _ := newPullers(t, goroutines)
	r := NewReactor()
	got := make(chan string, goroutines)
	for _, pull := range pulls {
		r.AddSocket(pull, POLLIN, reader(pull, got))
	}
	running := run(t, r)
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			values, handled := make(chan any), make(chan any)
			for range n {
				sendText(t, pushes[i], "x")
				waitFor(t, "handler of a socket", got)
				r.AddSocket(others[i], POLLIN|POLLOUT, func(State) error { return errStop })
				id := r.AddChannel(values, 1, func(v any) error { handled <- v; return nil })
				values <- "v"
				waitFor(t, "handler of a channel", handled)
				r.RemoveChannel(id)
				r.RemoveSocket(others[i])
			}
		})
	}
	bounded(t, "changes", wg.Wait)
	select {
	case err := <-running:
		require.NoError(t, err, "Run ended")
	default:
	}
}
