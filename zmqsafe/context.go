package zmqsafe

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Context is a libzmq context that knows its sockets. It is safe for
// concurrent use.
//
// A Context must be closed, with Close, Shutdown or Term: they close its
// sockets first and are bounded in time, so calling one of them is always
// right. One that is lost without is reported and closed by the package.
type Context struct {
	c       *contextState
	cleanup runtime.Cleanup // reports a Context that was lost
}

// contextState is what a Context stands for. It outlives a Context that was
// lost, so nothing that it reaches may lead back to the Context.
type contextState struct {
	raw          *zmq4.Context // set options before the first socket only; Term once
	logger       *slog.Logger
	closeTimeout time.Duration
	made         site // where the program called NewContext
	created      time.Time
	isDefault    bool
	waker        waker
	inproc       inprocNames
	noRetryEINTR atomic.Bool // SetRetryAfterEINTR(false); of no use but to be asked for

	mu         sync.Mutex
	state      state                  // guarded by mu: open until a close begins
	sockets    map[int32]*socketState // guarded by mu; the registry, invariant 9
	lastID     int32                  // guarded by mu
	internals  int                    // guarded by mu; how many of sockets are the package's own
	maxSockets int                    // guarded by mu; what the program may have
	linger     linger.Policy          // guarded by mu; for new sockets
	configured linger.Policy          // guarded by mu; the same before SetBlocky
	lingerSet  bool                   // guarded by mu; configured was set, by WithLinger or the environment
	began      time.Time              // guarded by mu; of the close
	deadline   time.Time              // guarded by mu; of the close, zero for none
	stretch    bool                   // guarded by mu; a LINGER that nobody has set lasts until the deadline
	took       time.Duration          // guarded by mu; of the close
	steps      []Step                 // guarded by mu; of the close
	scheduling scheduling             // guarded by mu; of libzmq's threads
	graces     int                    // guarded by mu; sockets whose zmq_close waits
	relays     map[*relay]struct{}    // guarded by mu; one for each monitor
	lingering  []*lingerer            // guarded by mu; closed, and maybe not yet gone
	pruneAt    int                    // guarded by mu; how long lingering may get before a look for what is gone
	started    bool                   // guarded by mu; a first socket was made
	done       chan struct{}          // closed when the close is over
	closeErr   error                  // guarded by mu until done is closed
}

// Option changes a default of NewContext.
type Option func(*contextState) error

// WithLinger sets the LINGER that new sockets of the context start with,
// instead of linger.Default (1 s, and 0 for XSUB) or what the environment
// variable ZMQSAFE_LINGER says. Socket.SetLinger overrides it for one socket. What
// is set counts for Shutdown, too, which otherwise lingers as long as it may take.
func WithLinger(p linger.Policy) Option {
	return func(c *contextState) error {
		c.linger, c.lingerSet = p, true
		return nil
	}
}

// WithCloseTimeout bounds Close and Term; the default is 5 s. It has to be positive.
func WithCloseTimeout(d time.Duration) Option {
	return func(c *contextState) error {
		if d <= 0 {
			return invalid("WithCloseTimeout(%v): want a positive duration", d)
		}
		c.closeTimeout = d
		return nil
	}
}

// WithLogger sets where the context reports what went wrong: sockets lost
// without Close, a close that overran its time. The default is slog.Default().
// It is silent while nothing is wrong.
func WithLogger(l *slog.Logger) Option {
	return func(c *contextState) error {
		if l == nil {
			return invalid("WithLogger(nil): want a logger; slog.New(slog.DiscardHandler) is silent")
		}
		c.logger = l
		return nil
	}
}

// LingerVariable is the environment variable with the default LINGER of new
// sockets: drop, forever, or a duration such as 250ms. See package linger.
const LingerVariable = "ZMQSAFE_LINGER"

// NewContext creates a context. See https://api.zeromq.org/4-3:zmq-ctx-new.
//
// It fails when the libzmq that is loaded doesn't fit the one compiled against,
// and when an option or ZMQSAFE_LINGER is malformed.
func NewContext(options ...Option) (*Context, error) { return makeContext(caller(1), options) }

func makeContext(made site, options []Option) (*Context, error) {
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
		done:         make(chan struct{}),
	}
	if text, ok := os.LookupEnv(LingerVariable); ok {
		if err := c.linger.UnmarshalText([]byte(text)); err != nil {
			return nil, fmt.Errorf("zmqsafe: environment variable %s: %w", LingerVariable, err)
		}
		c.lingerSet = true
	}
	for _, option := range options {
		if err := option(c); err != nil {
			return nil, err
		}
	}
	c.configured = c.linger
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
	ctx.cleanup = runtime.AddCleanup(ctx, (*contextState).lost, c)
	return ctx, nil
}

// core returns what ctx stands for; a nil or zero Context is a closed one.
func (ctx *Context) core() (*contextState, error) {
	if ctx == nil {
		return nil, errNilContext
	}
	if ctx.c == nil {
		return nil, ErrorContextClosed
	}
	return ctx.c, nil
}

// Close closes the context within its close timeout (WithCloseTimeout, 5 s by
// default). It is Shutdown with that bound, but for sockets whose LINGER nobody has
// set: they linger for the default of 1 s.
func (ctx *Context) Close() error {
	c, err := ctx.core()
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(context.Background(), c.closeTimeout)
	defer cancel()
	return ctx.shutdown(bounded, false)
}

// Term is Close under raw's name. Unlike raw's it doesn't wait for sockets that
// are still open: it closes them.
func (ctx *Context) Term() error { return ctx.Close() }

// Shutdown closes the context: it refuses new sockets and calls, wakes every
// blocked call with ETERM, closes the sockets, newest first, with what linger
// the deadline of bound leaves them, and terminates the context
// (https://api.zeromq.org/4-3:zmq-ctx-term).
//
// Who gives a deadline says how long delivering may take. So sockets whose LINGER
// nobody has set, by SetLinger, WithLinger or the environment, linger until the
// deadline, not for the default of 1 s. A LINGER that was set is cut to the
// deadline. A bound without a deadline does neither.
//
// It returns when all this is done or when bound is done, whichever is first. In
// the second case the error wraps bound's and names the sockets that were still
// lingering; what remains goes on in the background, and a further call waits
// for it.
//
// Shutdown may be called from any goroutine and any number of times; the first
// call, or Close, sets the deadline for lingering.
func (ctx *Context) Shutdown(bound context.Context) error { return ctx.shutdown(bound, true) }

// shutdown is Shutdown; stretch says that LINGER is as long as bound, unless it was
// set.
func (ctx *Context) shutdown(bound context.Context, stretch bool) error {
	c, err := ctx.core()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(ctx)
	ctx.cleanup.Stop()
	return c.shutdown(bound, stretch)
}
