package shutdown

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// DefaultTimeout is how long a stop may take when Group.Timeout isn't set.
// Container runtimes kill after 10 s if nobody tells them otherwise; this leaves
// some of that for what is outside the group.
const DefaultTimeout = 8 * time.Second

// Group is what a program consists of: workers, and things that have to be
// closed after them. It stops them in order and within a deadline, as the
// package documentation says under "The order".
//
// The zero Group is ready to use. Its fields are set before its first method is
// called; in the setup function of Main, any time before that returns. All
// methods are safe for concurrent use. A Group must not be copied, and stops
// once: it can't be started again.
//
// A Group that was used has to be taken down by Run or Shutdown.
type Group struct {
	// Timeout bounds the whole stop, from its beginning to the end of the last
	// step. 0 means DefaultTimeout.
	Timeout time.Duration

	// Grace is how long workers may take to return after their context is done;
	// then the closing steps begin all the same. 0 means half of Timeout. It has
	// to be less than Timeout.
	Grace time.Duration

	// StepTimeout bounds each closing step that has no bound of its own by
	// Within. 0 means a fair share: what is left divided by the steps that are
	// left, or by 10 if they are more. So one that hangs leaves time for the
	// others, and what a step doesn't use goes to the others; the last one, which
	// was added first, has all that is left.
	StepTimeout time.Duration

	// Signals begin the stop. nil means SIGINT and SIGTERM; a slice that is empty
	// but not nil means none. A signal that the program was started to ignore, as
	// nohup does it for SIGHUP and a shell's & in a script for SIGINT, stays
	// ignored.
	Signals []os.Signal

	// Logger is told what goes wrong: panics as they happen, and what a stop is
	// waiting for when that takes long. It hears nothing at level Info or above
	// while nothing is wrong, and the closing report at level Debug. nil means
	// slog.Default().
	Logger *slog.Logger

	mu       sync.Mutex
	ctx      context.Context // of the workers, done when the stop begins; this and the channels are set by the first method
	cancel   context.CancelCauseFunc
	settings *settings            // guarded by mu; nil until the fields are read
	parent   *Group               // guarded by registry.mu; the group that this one is a part of
	running  map[*worker]struct{} // guarded by mu; workers that are not out
	started  int                  // guarded by mu; workers
	returned int                  // guarded by mu; workers that were out, without an error, before the stop
	left     []*worker            // guarded by mu; the other workers that are out
	steps    []*step              // guarded by mu; not begun yet, to be taken from the end
	seen     map[any]string       // guarded by mu; what was added under which name
	errs     []error              // guarded by mu; what Run will return
	ran      bool                 // guarded by mu; Run was called
	waiting  bool                 // guarded by mu; Run waits for a cause, and the last worker's return is one
	idle     chan struct{}        // closed when the stop has begun and no worker is running
	setup    chan struct{}        // nil, or closed when the setup function of Main has returned
	begun    bool                 // guarded by mu; down is set or about to be
	down     *takedown            // guarded by mu, and stays; what goes on after a cause, once Run or Shutdown is there to do it
	closing  chan struct{}        // closed when down is set
	done     chan struct{}        // closed when the stop is over
	result   error                // set before done is closed
}

// groupKey finds, in the context of a worker or a step, the group that it belongs to.
type groupKey struct{}

func groupOf(ctx context.Context) *Group {
	g, _ := ctx.Value(groupKey{}).(*Group)
	return g
}

// lock locks g.mu and, the first time, makes what the zero Group lacks.
func (g *Group) lock() {
	g.mu.Lock()
	if g.ctx == nil {
		g.ctx, g.cancel = context.WithCancelCause(context.WithValue(context.Background(), groupKey{}, g))
		g.running = make(map[*worker]struct{})
		g.seen = make(map[any]string)
		g.idle, g.closing, g.done = make(chan struct{}), make(chan struct{}), make(chan struct{})
		enlist(g)
	}
}

// Context returns the context of the workers. It is done when the stop begins;
// context.Cause then says why.
func (g *Group) Context() context.Context {
	g.lock()
	defer g.mu.Unlock()
	return g.ctx
}

// Stop begins the stop, unless it has begun, and doesn't wait: the workers'
// context is done when Stop returns. The rest is done by Run or Shutdown. It is
// for workers and steps, which can't wait for the group that waits for them.
func (g *Group) Stop() { g.stop(errStop) }

func (g *Group) stop(cause error) {
	g.lock()
	defer g.mu.Unlock()
	g.stopLocked(cause)
}

func (g *Group) stopLocked(cause error) {
	g.cancel(cause) // the first time: later causes change nothing
	g.settleLocked()
}

// refuse keeps the error of a call that was wrong in itself, for those who don't
// look at what Go and Add return, begins the stop, and returns the error.
func (g *Group) refuse(format string, args ...any) error {
	err := fmt.Errorf("shutdown: "+format, args...)
	g.lock()
	defer g.mu.Unlock()
	g.failLocked(err)
	return err
}

// failLocked adds an error to what Run returns, and begins the stop.
func (g *Group) failLocked(err error) {
	g.errs = append(g.errs, err)
	g.stopLocked(err)
}

// keep adds an error to what Run returns.
func (g *Group) keep(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errs = append(g.errs, err)
}

// log calls f, which writes to the log, and waits for it, but not for long: a
// log that hangs is no reason for a stop to hang, nor one that panics for it to
// end.
func (g *Group) log(f func(*slog.Logger)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }() // whom to tell?
		f(g.logger())
	}()
	timer := time.NewTimer(late)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	}
}
