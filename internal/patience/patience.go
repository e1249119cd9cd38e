// Package patience bounds how long a log line may hold up whoever writes it. A
// program's handler may block: its writer is a pipe that nobody reads, a disk
// that is full, or a socket that is being closed right now. Whoever ends a
// program must not wait for that.
//
//   - Each line waits for its handler, up to [Bound], so lines are out when a
//     program ends that has a handler that works.
//   - A handler gets the lines one by one and in order, on a goroutine of its
//     own, which exists only as long as there is a line.
//   - While it is late with a line, no other line waits. They are kept, 1,000
//     at most, and then dropped; the number of those is logged when the handler
//     comes back.
//   - All loggers with the same handler share all this.
//   - The handler may call whatever it likes, even what logs a line again. If
//     it panics or ends its goroutine, that line is lost, and nothing else.
package patience

import (
	"context"
	"log/slog"
	"reflect"
	"sync"
	"time"
)

// Bound is how long a line waits for its handler at most.
var Bound = 100 * time.Millisecond // tests change it

// keep is how many lines are kept behind the one that the handler has.
const keep = 1000

// Logger returns a logger that hands its lines to the handler of l, and waits
// for it no longer than [Bound], and no longer than the context of the line. A
// handler reads the attributes later than that if it is late: a LogValuer is
// resolved before, but what a pointer refers to must not change any more.
func Logger(l *slog.Logger) *slog.Logger {
	to := l.Handler()
	var key any = to
	if !reflect.ValueOf(to).Comparable() {
		key = new(int) // another for each logger
	}
	return slog.New(handler{to, key})
}

// handler is the handler of a Logger.
type handler struct {
	to  slog.Handler // the program's
	key any          // of the queue; the same with more attributes
}

// Enabled may block, too. If it does, the line is handed over, and the
// handler's own goroutine asks again.
func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	if isLate(h.key) {
		return true
	}
	enabled := make(chan bool, 1)
	go func() { enabled <- enables(ctx, h.to, level) }()
	timer := time.NewTimer(Bound)
	defer timer.Stop()
	select {
	case e := <-enabled:
		return e
	case <-ctx.Done():
	case <-timer.C:
	}
	return true
}

// enables asks a handler, which may panic or end its goroutine.
func enables(ctx context.Context, to slog.Handler, level slog.Level) (enabled bool) {
	defer func() { _ = recover() }()
	return to.Enabled(ctx, level)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.to.WithAttrs(attrs), h.key}
}

func (h handler) WithGroup(name string) slog.Handler { return handler{h.to.WithGroup(name), h.key} }

// Handle waits in two halves. Where all the time passes at once, because the
// whole process stands still, the handler has the second one.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	l := &line{h.to, context.WithoutCancel(ctx), resolved(r), make(chan struct{})}
	q, late := enqueue(h.key, l)
	timer := time.NewTimer(Bound / 2)
	defer timer.Stop()
	for range 2 {
		select {
		case <-l.done:
			return nil
		case <-late:
			return nil
		case <-ctx.Done():
			return nil
		case <-timer.C:
			timer.Reset(Bound / 2)
		}
	}
	q.giveUp(l)
	return nil
}

// resolved returns r without LogValuers.
func resolved(r slog.Record) slog.Record {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		out.AddAttrs(slog.Attr{Key: a.Key, Value: resolvedValue(a.Value)})
		return true
	})
	return out
}

func resolvedValue(v slog.Value) slog.Value {
	if v = v.Resolve(); v.Kind() != slog.KindGroup {
		return v
	}
	var attrs []slog.Attr
	for _, a := range v.Group() {
		attrs = append(attrs, slog.Attr{Key: a.Key, Value: resolvedValue(a.Value)})
	}
	return slog.GroupValue(attrs...)
}

// line is a record on its way to a handler.
type line struct {
	to     slog.Handler
	ctx    context.Context
	record slog.Record
	done   chan struct{} // closed when the handler has returned, or the line was dropped
}

// queue has the lines of one handler. It exists as long as the handler has one.
type queue struct {
	key     any
	lines   []*line       // guarded by mu; behind the one that the handler has
	dropped int           // guarded by mu; how many more there were
	late    chan struct{} // guarded by mu; closed if the handler is late
}

var (
	mu     sync.Mutex
	queues = make(map[any]*queue) // guarded by mu
)

// enqueue hands a line to its handler, or puts it into the handler's queue.
// late is closed when lines no longer wait for the handler.
func enqueue(key any, l *line) (q *queue, late <-chan struct{}) {
	mu.Lock()
	defer mu.Unlock()
	q = queues[key]
	switch {
	case q == nil:
		q = &queue{key: key, late: make(chan struct{})}
		queues[key] = q
		go q.run(l)
	case len(q.lines) < keep:
		q.lines = append(q.lines, l)
	default:
		q.dropped++
		close(l.done)
	}
	return q, q.late
}

// run calls the handler with a line, and then begins with the next, on another
// goroutine: the handler may end this one.
func (q *queue) run(l *line) {
	defer q.next(l)
	defer func() { _ = recover() }() // there is nowhere to report it
	if l.to.Enabled(l.ctx, l.record.Level) {
		_ = l.to.Handle(l.ctx, l.record)
	}
}

// next begins with the next line after the handler is done with one.
func (q *queue) next(after *line) {
	mu.Lock()
	defer mu.Unlock()
	if isClosed(q.late) {
		q.late = make(chan struct{})
	}
	close(after.done)
	switch {
	case q.dropped > 0:
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "zmq-exit: log lines were dropped; the logger was late", 0)
		r.AddAttrs(slog.Int("dropped", q.dropped), slog.Int("kept", len(q.lines)))
		q.dropped = 0
		go q.run(&line{after.to, context.Background(), r, make(chan struct{})})
	case len(q.lines) > 0:
		l := q.lines[0]
		q.lines = q.lines[1:]
		go q.run(l)
	default:
		delete(queues, q.key)
	}
}

// isLate reports whether lines no longer wait for a handler.
func isLate(key any) bool {
	mu.Lock()
	defer mu.Unlock()
	q := queues[key]
	return q != nil && isClosed(q.late)
}

// giveUp ends the wait of all lines if l is still not out.
func (q *queue) giveUp(l *line) {
	mu.Lock()
	defer mu.Unlock()
	if !isClosed(l.done) && !isClosed(q.late) {
		close(q.late)
	}
}

// isClosed reports whether c, on which nothing is sent, is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
