package zmqsafe

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/internal/patience"
	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/conns"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/waker"
)

// Context is a libzmq context that knows its sockets. It is safe for concurrent
// use.
//
// A Context must be closed, with [Context.Close], [Context.Shutdown] or
// [Context.Term]. They close its sockets first and are bounded in time, so
// calling any of them is always right. A Context that is garbage collected
// without having been closed is logged as leaked, and closed.
type Context struct {
	c       *contextState
	cleanup runtime.Cleanup // reports a leaked Context
}

// contextState is the state of a Context. It outlives a leaked Context, so
// nothing that it reaches may point back to the Context.
type contextState struct {
	raw          *zmq4.Context // set options before the first socket only; Term once
	logger       *slog.Logger  // never waits for the program's for long
	closeTimeout time.Duration
	made         callSite // call site of NewContext
	created      time.Time
	isDefault    bool
	waker        waker.Waker
	threads      conns.Threads // its Number is guarded by mu until the first socket
	inproc       inprocNames
	noRetryEINTR atomic.Bool // SetRetryAfterEINTR(false); only GetRetryAfterEINTR reads it
	unwritten    atomic.Bool // it was logged that the report can't be written
	reported     bool        // guarded by reportFile.mu; the final report was written

	mu         lockorder.Mutex[lockorder.Context]
	state      state                  // guarded by mu: open until a close begins
	sockets    map[int32]*socketState // guarded by mu; the registry, invariant 9
	lastID     int32                  // guarded by mu
	internals  int                    // guarded by mu; how many of sockets are internal
	maxSockets int                    // guarded by mu; the limit for the program's sockets
	linger     linger.Policy          // guarded by mu; for new sockets
	configured linger.Policy          // guarded by mu; the same before SetBlocky
	lingerSet  bool                   // guarded by mu; configured was set, by WithLinger or the environment
	began      time.Time              // guarded by mu; of the close
	deadline   time.Time              // guarded by mu; of the close, zero for none
	extend     bool                   // guarded by mu; a LINGER that was not set lasts until the deadline
	took       time.Duration          // guarded by mu; of the close
	steps      []Step                 // guarded by mu; of the close
	scheduling scheduling             // guarded by mu; of libzmq's threads
	deferred   int                    // guarded by mu; sockets whose zmq_close is deferred
	relays     map[*relay]struct{}    // guarded by mu; one for each monitor
	lingering  []*lingeringSocket     // guarded by mu; closed sockets that libzmq may still have
	detached   []*detachedPlace       // guarded by mu; one for each line that calls Unbind or Disconnect
	pruneAt    int                    // guarded by mu; the length at which lingering is pruned
	unread     unreadAccount          // of closed sockets
	started    bool                   // guarded by mu; the first socket was made
	ending     chan struct{}          // closed when the close begins
	done       chan struct{}          // closed when the close is over
	closeErr   error                  // guarded by mu until done is closed

	openSockets int         // guarded by mu; of the program
	watch       lingerWatch // follows lingering
	ranOut      ranOutEarly // guarded by mu
	closeWait   closeWait   // guarded by mu
}

// state is the state of a context: open, closing, closed, in this order and
// never back.
type state uint8

const (
	closed state = iota
	open
	closing
)

// Option changes a default of [NewContext], see [NewContextWith]. The zero
// Option changes nothing.
type Option struct{ apply func(*contextState) error }

// WithLinger sets the LINGER of new sockets, instead of [linger.Default] (1 s,
// and 0 for XSUB) or the environment variable ZMQSAFE_LINGER
// ([LingerVariable]). [Socket.SetLinger] overrides it for one socket.
// [Context.Shutdown] doesn't extend a LINGER that was set.
func WithLinger(p linger.Policy) Option {
	return Option{func(c *contextState) error {
		c.linger, c.lingerSet = p, true
		return nil
	}}
}

// WithCloseTimeout limits how long [Context.Close], [Context.Term] and the wait
// of [Socket.Close] may take. It must be positive; the default is 5 s.
func WithCloseTimeout(d time.Duration) Option {
	return Option{func(c *contextState) error {
		if d <= 0 {
			return invalid("WithCloseTimeout(%v): want a positive duration", d)
		}
		c.closeTimeout = d
		return nil
	}}
}

// WithLogger sets where the context logs problems: sockets that were leaked, a
// close that took too long. The default is [slog.Default]. If nothing is wrong,
// the context logs at [slog.LevelDebug] only, except for the drains that time
// has ended ([Socket.Drain]), which it logs at [slog.LevelInfo].
//
// The logger may block, and may call this package. No call waits longer than
// 0.1 s for a line. While it is late with a line, up to 1,000 lines are kept
// for it, and further ones are dropped and counted.
func WithLogger(l *slog.Logger) Option {
	return Option{func(c *contextState) error {
		if l == nil {
			return invalid("WithLogger(nil): want a logger; slog.New(slog.DiscardHandler) is silent")
		}
		c.logger = l
		return nil
	}}
}

// WithCallerSkip is for a helper that makes contexts for others. It sets the
// call site that is reported for the context: skip frames above the function
// that calls WithCallerSkip. With 1 that is where the helper was called.
func WithCallerSkip(skip int) Option {
	made := caller(max(skip, 0) + 1)
	return Option{func(c *contextState) error {
		if skip < 0 {
			return invalid("WithCallerSkip(%d): want 0 or more frames", skip)
		}
		c.made = made
		return nil
	}}
}

// LingerVariable is the environment variable for the default LINGER of new
// sockets: drop, forever, or a duration like 250ms. See package linger.
const LingerVariable = "ZMQSAFE_LINGER"

// ReportVariable is the environment variable that names a file for closing
// reports. Every close writes its [Report] there as one line of JSON, see
// [Report.MarshalJSON]: when it is done, before [Context.Close] or
// [Context.Shutdown] returns, and also when one of these stops waiting for it.
//
// The first report of a process truncates the file, later ones are appended. If
// several lines have the same made_at and began, the last one is the final
// report of that context. Processes must not share a file. With /dev/stderr or
// /dev/stdout reports go to standard error or output; a named pipe needs a
// reader.
//
// A report that can't be written is logged as a warning, once for each context,
// and the close goes on.
const ReportVariable = "ZMQSAFE_REPORT"

// NewContext creates a context. It doesn't block. Close the context with
// [Context.Close]. See https://api.zeromq.org/4-3:zmq-ctx-new.
//
// It fails if the loaded libzmq doesn't fit the one compiled against, or if
// ZMQSAFE_LINGER or ZMQSAFE_CLOSE_WAIT is malformed.
func NewContext() (*Context, error) { return makeContext(caller(1), nil) }

// NewContextWith is [NewContext] with options. It also fails if one of them is
// malformed.
func NewContextWith(options ...Option) (*Context, error) { return makeContext(caller(1), options) }

// Close closes the context within its close timeout ([WithCloseTimeout], 5 s by
// default). It is [Context.Shutdown] with that bound, except that sockets whose
// LINGER was not set linger for the default of 1 s.
func (ctx *Context) Close() error {
	c, err := ctx.core()
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.Background(), c.closeTimeout)
	defer cancel()
	return ctx.shutdown(bounded, false)
}

// Term is [Context.Close] under the name that pebbe/zmq4 has for it. Unlike
// pebbe/zmq4's it doesn't wait for open sockets: it closes them.
func (ctx *Context) Term() error { return ctx.Close() }

// Shutdown closes the context. It refuses new sockets and calls, ends every
// blocked call with ETERM, closes the sockets, newest first, each with the
// linger that the deadline of bound leaves it, and terminates the context
// (https://api.zeromq.org/4-3:zmq-ctx-term).
//
// A deadline says how long delivery may take. So sockets whose LINGER was not
// set, by [Socket.SetLinger], [WithLinger] or the environment, linger until the
// deadline instead of the default of 1 s. A LINGER that was set is cut to the
// deadline. A bound without a deadline does neither.
//
// Shutdown blocks until all this is done or bound is done, whichever is first.
// In the second case the error wraps bound's and names the sockets that were
// still lingering. The rest goes on in the background, and a further call waits
// for it.
//
// Any goroutine may call Shutdown, any number of times. The first call, or
// [Context.Close], sets the deadline for lingering.
func (ctx *Context) Shutdown(bound context.Context) error { return ctx.shutdown(bound, true) }

// shutdown is Shutdown. With extend, a LINGER that was not set lasts as long as
// bound.
func (ctx *Context) shutdown(bound context.Context, extend bool) error {
	c, err := ctx.core()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(ctx)
	ctx.cleanup.Stop()
	return c.shutdown(bound, extend)
}

func makeContext(made callSite, options []Option) (*Context, error) {
	if err := checkVersion(); err != nil {
		return nil, err
	}
	c := &contextState{
		logger:       slog.Default(),
		closeTimeout: 5 * time.Second,
		made:         made,
		created:      time.Now(),
		state:        open,
		sockets:      make(map[int32]*socketState),
		relays:       make(map[*relay]struct{}),
		scheduling:   scheduling{-1, -1},
		inproc:       inprocNames{bound: make(map[string]bool), events: make(map[string]bool), pending: make(map[string]map[*socketState]struct{})},
		unread:       unreadAccount{found: make(map[unreadPlace]*Unread)},
		ending:       make(chan struct{}),
		done:         make(chan struct{}),
		watch:        newLingerWatch(),
	}
	if text, ok := os.LookupEnv(LingerVariable); ok {
		if err := c.linger.UnmarshalText([]byte(text)); err != nil {
			return nil, fmt.Errorf("zmqsafe: environment variable %s: %w", LingerVariable, err)
		}
		c.lingerSet = true
	}
	var err error
	if c.closeWait.off, err = closeWaitOff(); err != nil {
		return nil, err
	}
	for _, option := range options {
		if option.apply == nil {
			continue
		}
		if err := option.apply(c); err != nil {
			return nil, err
		}
	}
	c.configured, c.logger = c.linger, patience.Logger(c.logger)
	raw, err := zmq4.NewContext()
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(raw, nil) // it would call zmq_ctx_term on the finalizer goroutine
	c.raw = raw
	if c.maxSockets, err = raw.GetMaxSockets(); err == nil {
		err = c.setMaxSockets(c.maxSockets)
	}
	if err != nil {
		_ = raw.Term() // no sockets: returns at once
		return nil, err
	}
	enterContext(c)
	ctx := &Context{c: c}
	ctx.cleanup = runtime.AddCleanup(ctx, (*contextState).leaked, c)
	return ctx, nil
}

// core returns the state of ctx. A nil or zero Context is closed.
func (ctx *Context) core() (*contextState, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if ctx.c == nil {
		return nil, ErrorContextClosed
	}
	return ctx.c, nil
}

// startLocked prepares the context for its first socket, which makes libzmq
// start its threads.
func (c *contextState) startLocked() error {
	if c.started {
		return nil
	}
	if err := c.checkScheduling(); err != nil {
		return err
	}
	ioThreads, err := c.raw.GetIoThreads()
	if err != nil {
		return err
	}
	// Each thread of libzmq (the I/O threads and the reaper) needs an epoll
	// descriptor and a mailbox. The context and the socket need a mailbox each.
	// The waker needs its epoll descriptor, and Go's netpoller two if this is
	// its first use.
	if err := checkDescriptors("start a context", 2*(ioThreads+1)+5); err != nil {
		return err
	}
	if err := c.waker.Start(c.logger); err != nil {
		return &usageError{"can't wait for sockets", err}
	}
	c.threads.Number, c.started = ioThreads, true
	return nil
}
