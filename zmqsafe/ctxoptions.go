package zmqsafe

import (
	"fmt"
	"math"
	"runtime"
	"syscall"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Options of a context: what they have in common is in doc.go.

// SetIoThreads sets the number of libzmq's I/O threads; the default is 1. With 0
// only inproc endpoints can be used. It has to be called before the first
// NewSocket. See https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_IO_THREADS.
func (ctx *Context) SetIoThreads(n int) error {
	return ctx.set("SetIoThreads", n, 0, math.MaxInt32, func(c *contextState) error { return c.raw.SetIoThreads(n) })
}

// GetIoThreads returns the number of libzmq's I/O threads.
func (ctx *Context) GetIoThreads() (int, error) { return ctxGet(ctx, (*zmq4.Context).GetIoThreads) }

// SetMaxSockets sets how many sockets the context may have open; the default is
// 1023. NewSocket beyond that fails with EMFILE. It has to be called before the
// first NewSocket. See https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_MAX_SOCKETS.
func (ctx *Context) SetMaxSockets(n int) error {
	const most = (math.MaxInt32 - 1) / withOwn
	return ctx.set("SetMaxSockets", n, 1, most, func(c *contextState) error {
		if err := c.setMaxSockets(n); err != nil {
			return err
		}
		if !c.started {
			c.maxSockets = n
		}
		return nil
	})
}

// GetMaxSockets returns how many sockets the context may have open, see
// SetMaxSockets.
func (ctx *Context) GetMaxSockets() (int, error) {
	return ctxGet(ctx, func(raw *zmq4.Context) (int, error) {
		n, err := raw.GetMaxSockets()
		return (n - 1) / withOwn, err
	})
}

// SetMaxMsgsz sets what GetMaxMsgsz returns, in bytes; the default is the largest
// C int. It is meant as a limit for messages that are sent, but libzmq 4.3.4 sends
// larger ones all the same: see SetMaxmsgsize of the receiving Socket, and
// https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_MAX_MSGSZ.
func (ctx *Context) SetMaxMsgsz(n int) error {
	return ctx.set("SetMaxMsgsz", n, 0, math.MaxInt32, func(c *contextState) error { return c.raw.SetMaxMsgsz(n) })
}

// GetMaxMsgsz returns what SetMaxMsgsz has set, in bytes.
func (ctx *Context) GetMaxMsgsz() (int, error) { return ctxGet(ctx, (*zmq4.Context).GetMaxMsgsz) }

// SetIpv6 sets whether new sockets use IPv6 besides IPv4; the default is false. See
// https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_IPV6.
func (ctx *Context) SetIpv6(on bool) error {
	return ctx.call(func(c *contextState) error { return c.raw.SetIpv6(on) })
}

// GetIpv6 reports whether new sockets use IPv6.
func (ctx *Context) GetIpv6() (bool, error) { return ctxGet(ctx, (*zmq4.Context).GetIpv6) }

// SetBlocky with false makes 0 the LINGER of new sockets, as in libzmq. With
// true, which is libzmq's default, they start with the context's, see WithLinger.
// See https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_BLOCKY.
func (ctx *Context) SetBlocky(on bool) error {
	return ctx.call(func(c *contextState) error {
		if err := c.raw.SetBlocky(on); err != nil {
			return err
		}
		c.linger = c.configured
		if !on {
			c.linger = linger.Drop
		}
		return nil
	})
}

// GetBlocky returns what SetBlocky sets.
func (ctx *Context) GetBlocky() (bool, error) { return ctxGet(ctx, (*zmq4.Context).GetBlocky) }

// SetRetryAfterEINTR changes what GetRetryAfterEINTR returns, and nothing else:
// signals never end a call of this package, with true, the default, or false. A
// program that is to end by a signal closes the context.
func (ctx *Context) SetRetryAfterEINTR(retry bool) {
	if c, err := ctx.core(); err == nil {
		c.noRetryEINTR.Store(!retry)
	}
}

// GetRetryAfterEINTR returns what SetRetryAfterEINTR has set. It is false for a
// nil or zero Context.
func (ctx *Context) GetRetryAfterEINTR() bool {
	c, err := ctx.core()
	return err == nil && !c.noRetryEINTR.Load()
}

// withOwn is how many sockets one of the program's may take: itself and, for its
// monitor, two of the package's own and one of libzmq's.
const withOwn = 4

// setMaxSockets has libzmq leave room for the package's own sockets, so that the
// program can have all n of its own: those of monitors, and one for inprocNames.
func (c *contextState) setMaxSockets(n int) error { return c.raw.SetMaxSockets(withOwn*n + 1) }

func (ctx *Context) call(f func(c *contextState) error) error {
	c, err := ctx.core()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return ErrorContextClosed
	}
	return f(c)
}

// set sets a number that is at least and most so large.
func (ctx *Context) set(name string, n, least, most int, f func(c *contextState) error) error {
	return ctx.call(func(c *contextState) error {
		if n < least || n > most {
			return invalid("%s(%d): want a number from %d to %d", name, n, least, most)
		}
		err := f(c)
		if AsErrno(err) == Errno(syscall.EINVAL) {
			return &usageError{fmt.Sprintf("%s(%d): more than this libzmq can have", name, n), err}
		}
		return err
	})
}

func ctxGet[V any](ctx *Context, getter func(*zmq4.Context) (V, error)) (v V, err error) {
	err = ctx.call(func(c *contextState) error {
		v, err = getter(c.raw)
		return err
	})
	return v, err
}
