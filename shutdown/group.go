package shutdown

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/zmqsafe/zmq-exit/shutdown/tcplinger"
)

// DefaultTimeout is how long a stop may take if [Group.Timeout] is 0. Of the
// 10 s that Docker gives, it leaves some for what is outside the group.
const DefaultTimeout = 8 * time.Second

// Group is a program, or a part of one: workers, and things to close after
// them. It stops them in order and within a deadline; the package documentation
// describes how.
//
// The zero Group is ready to use. Set its fields before you call its first
// method, or, in the setup function of [Main], before that returns. A Group
// that was used must be closed by [Group.Run] or [Group.Shutdown], and can't be
// started again. It must not be copied.
type Group struct {
	// Timeout bounds the whole stop, from its beginning to the end of the last
	// step. 0 means [DefaultTimeout].
	Timeout time.Duration

	// Grace is how long workers may take to return after their context is
	// canceled. Then the steps begin, even if workers are still running. It
	// must be less than Timeout. 0 means half of Timeout.
	Grace time.Duration

	// StepTimeout bounds each step that [Within] doesn't. 0 means a fair share:
	// the time that is left, divided by the number of steps that are left, or
	// by 10 if there are more. So a step that hangs leaves time for the others,
	// a step that returns early leaves its time to them, and the last step,
	// which was added first, has all that is left.
	StepTimeout time.Duration

	// Signals begin the stop. nil means SIGINT and SIGTERM. An empty slice that
	// is not nil means none. A signal that the process was started to ignore
	// stays ignored, such as SIGHUP under nohup, or SIGINT in a background job
	// of a shell script.
	Signals []os.Signal

	// Logger receives a panic as soon as it happens, at level Error, and what a
	// stop waits for if that takes long, at level Warn. The closing [Report]
	// has level Debug. nil means slog.Default(). A Logger that hangs delays the
	// stop by 0.1 s in all.
	Logger *slog.Logger

	// NoTCPLinger keeps [Main] from waiting for the kernel after the last step.
	// It does that where the network ends with the program, as in a container,
	// for up to 1 s of the Timeout.
	NoTCPLinger bool

	mu       sync.Mutex
	ctx      context.Context // of the workers; set by the first method, like cancel and the channels
	cancel   context.CancelCauseFunc
	settings *settings            // guarded by mu; nil until the fields are read
	parent   *Group               // guarded by registry.mu; the group that this one is part of
	running  map[*worker]struct{} // guarded by mu
	started  int                  // guarded by mu; number of workers
	returned int                  // guarded by mu; number of workers that returned nil before the stop
	left     []*worker            // guarded by mu; the other workers that have returned
	steps    []*step              // guarded by mu; those that have not begun; the last one is next
	seen     map[any]string       // guarded by mu; what was added, and its name
	errs     []error              // guarded by mu; what Run will return
	ran      bool                 // guarded by mu; Run was called
	waiting  bool                 // guarded by mu; Run waits for a cause, so the last worker's return is one
	idle     chan struct{}        // closed when the stop has begun and no worker is running
	setup    chan struct{}        // nil, or closed when the setup function of Main has returned
	begun    bool                 // guarded by mu; down is set or about to be
	down     *takedown            // guarded by mu until closing is closed; never changes once set
	closing  chan struct{}        // closed when down is set
	done     chan struct{}        // closed when the stop is over
	result   error                // set before done is closed
	lines    lines
	own      *tcplinger.Own // guarded by mu; nil unless the network ends with the program
	unknown  error          // guarded by mu; why own may lack some
}

// lock locks g.mu. The first call makes what the zero Group lacks.
func (g *Group) lock() {
	g.mu.Lock()
	if g.ctx == nil {
		g.ctx, g.cancel = context.WithCancelCause(context.WithValue(context.Background(), partKey{}, &part{group: g}))
		g.running = make(map[*worker]struct{})
		g.seen = make(map[any]string)
		g.idle, g.closing, g.done = make(chan struct{}), make(chan struct{}), make(chan struct{})
		enlist(g)
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

// Context returns the context of the workers. It is canceled when the stop
// begins; context.Cause then returns why.
func (g *Group) Context() context.Context {
	g.lock()
	defer g.mu.Unlock()
	return g.ctx
}

// Stop begins the stop, unless it has begun, and doesn't wait: when it returns,
// the context of the workers is canceled. [Group.Run] or [Group.Shutdown] does
// the rest. Workers and steps of the group call Stop instead of Shutdown, which
// would wait for them.
func (g *Group) Stop() { g.stop(errStop) }

func (g *Group) stop(cause error) {
	g.lock()
	defer g.mu.Unlock()
	g.stopLocked(cause)
}

func (g *Group) stopLocked(cause error) {
	if g.ctx.Err() == nil {
		g.noteConnectionsLocked()
	}
	g.cancel(cause) // only the first cause has an effect
	g.settleLocked()
}

// refuse returns the error of a wrong call. It also begins the stop and keeps
// the error for Run, because many callers ignore what Go and Add return.
func (g *Group) refuse(format string, args ...any) error {
	err := fmt.Errorf("shutdown: "+format, args...)
	g.fail(err)
	return err
}

// fail adds an error to the result of Run, and begins the stop.
func (g *Group) fail(err error) {
	g.lock()
	defer g.mu.Unlock()
	g.failLocked(err)
}

func (g *Group) failLocked(err error) {
	g.errs = append(g.errs, err)
	g.stopLocked(err)
}

// settings are the fields of a Group, checked, with the defaults filled in.
type settings struct {
	timeout, grace, step time.Duration
	signals              []os.Signal
	noTCPLinger          bool
}

var defaultSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM}

func defaults() *settings {
	return &settings{timeout: DefaultTimeout, grace: DefaultTimeout / 2, signals: defaultSignals}
}

// configure returns the settings: the defaults while the setup function of Main
// may still write the fields. Then it reads them once, and begins the stop if
// one is wrong.
func (g *Group) configure() *settings {
	g.lock()
	defer g.mu.Unlock()
	if !g.setupReturned() {
		return defaults()
	}
	if g.settings == nil {
		var err error
		if g.settings, err = g.readFields(); err != nil {
			g.failLocked(err)
		}
	}
	return g.settings
}

// readFields returns the settings and what is wrong with the fields. A field
// that is wrong has its default.
func (g *Group) readFields() (*settings, error) {
	s := defaults()
	s.noTCPLinger = g.NoTCPLinger
	var errs []error
	set := func(name string, to *time.Duration, d time.Duration) {
		switch {
		case d < 0:
			errs = append(errs, fmt.Errorf("shutdown: Group.%s is %v: want a positive duration, or 0 for the default", name, d))
		case d > 0:
			*to = d
		}
	}
	set("Timeout", &s.timeout, g.Timeout)
	s.grace = s.timeout / 2
	set("Grace", &s.grace, g.Grace)
	set("StepTimeout", &s.step, g.StepTimeout)
	if s.grace >= s.timeout && g.Grace > 0 {
		errs = append(errs, fmt.Errorf("shutdown: Group.Grace is %v: want less than Timeout (%v), to leave time for closing", s.grace, s.timeout))
		s.grace = s.timeout / 2
	}
	if g.Signals != nil {
		s.signals = nil
	}
	for _, sig := range g.Signals {
		if err := checkSignal(sig); err != nil {
			errs = append(errs, err)
		} else {
			s.signals = append(s.signals, sig)
		}
	}
	return s, errors.Join(errs...)
}
