package zmqsafe

import (
	"cmp"
	"fmt"
	"math"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Options of a context. doc.go says what they all have in common.

// SetIoThreads sets the number of libzmq's I/O threads; the default is 1. With
// 0, only inproc endpoints work. Call it before the first [Context.NewSocket].
// See https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_IO_THREADS.
func (ctx *Context) SetIoThreads(n int) error {
	return ctx.set("SetIoThreads", n, 0, math.MaxInt32, func(c *contextState) error { return c.raw.SetIoThreads(n) })
}

// GetIoThreads returns the number of libzmq's I/O threads.
func (ctx *Context) GetIoThreads() (int, error) { return ctxGet(ctx, (*zmq4.Context).GetIoThreads) }

// SetMaxSockets sets how many sockets the context may have open; the default is
// 1023. Beyond that [Context.NewSocket] fails with EMFILE. Call SetMaxSockets
// before the first NewSocket. See https://api.zeromq.org/4-3:zmq-ctx-set,
// ZMQ_MAX_SOCKETS.
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

// GetMaxSockets returns what [Context.SetMaxSockets] sets.
func (ctx *Context) GetMaxSockets() (int, error) {
	return ctxGet(ctx, func(raw *zmq4.Context) (int, error) {
		n, err := raw.GetMaxSockets()
		return (n - 1) / withOwn, err
	})
}

// SetMaxMsgsz sets the value that [Context.GetMaxMsgsz] returns, in bytes; the
// default is the largest C int. It is meant to limit the messages that are
// sent, but libzmq 4.3.4 sends larger ones anyway: use [Socket.SetMaxmsgsize]
// of the receiving socket. See https://api.zeromq.org/4-3:zmq-ctx-set,
// ZMQ_MAX_MSGSZ.
func (ctx *Context) SetMaxMsgsz(n int) error {
	return ctx.set("SetMaxMsgsz", n, 0, math.MaxInt32, func(c *contextState) error { return c.raw.SetMaxMsgsz(n) })
}

// GetMaxMsgsz returns the value set by [Context.SetMaxMsgsz], in bytes.
func (ctx *Context) GetMaxMsgsz() (int, error) { return ctxGet(ctx, (*zmq4.Context).GetMaxMsgsz) }

// SetIpv6 sets whether new sockets use IPv6 in addition to IPv4; the default is
// false. See https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_IPV6.
func (ctx *Context) SetIpv6(on bool) error {
	return ctx.call(func(c *contextState) error { return c.raw.SetIpv6(on) })
}

// GetIpv6 reports whether new sockets use IPv6.
func (ctx *Context) GetIpv6() (bool, error) { return ctxGet(ctx, (*zmq4.Context).GetIpv6) }

// SetBlocky with false sets the LINGER of new sockets to 0, as in libzmq. With
// true, libzmq's default, new sockets have the context's LINGER, see
// [WithLinger]. See https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_BLOCKY.
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

// GetBlocky returns the value set by [Context.SetBlocky].
func (ctx *Context) GetBlocky() (bool, error) { return ctxGet(ctx, (*zmq4.Context).GetBlocky) }

// SetRetryAfterEINTR sets the value that [Context.GetRetryAfterEINTR] returns,
// and has no other effect: with true, the default, and with false signals never
// end a call of this package. To end a program on a signal, close the context.
func (ctx *Context) SetRetryAfterEINTR(retry bool) {
	if c, err := ctx.core(); err == nil {
		c.noRetryEINTR.Store(!retry)
	}
}

// GetRetryAfterEINTR returns the value set by [Context.SetRetryAfterEINTR]. It
// is false for a nil or zero Context.
func (ctx *Context) GetRetryAfterEINTR() bool {
	c, err := ctx.core()
	return err == nil && !c.noRetryEINTR.Load()
}

// SetThreadSchedPolicy sets the scheduling policy of libzmq's threads, a number
// from the system's sched.h: on Linux 0 is SCHED_OTHER, 1 SCHED_FIFO, 2
// SCHED_RR. The default is the policy of the program's threads. See
// https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_THREAD_SCHED_POLICY.
//
// The system checks it, together with [Context.SetThreadPriority], when the
// threads start. If it refuses, the first [Context.NewSocket] fails with EPERM
// or EINVAL, where pebbe/zmq4 aborts the process. Neither option can be undone.
func (ctx *Context) SetThreadSchedPolicy(n int) error {
	return ctx.set("SetThreadSchedPolicy", n, 0, math.MaxInt32, func(c *contextState) error {
		err := c.raw.SetThreadSchedPolicy(n)
		if err == nil {
			c.scheduling.policy = n
		}
		return err
	})
}

// SetThreadPriority sets the priority of libzmq's threads: 1 to 99 with the
// policies SCHED_FIFO and SCHED_RR. With other policies any value makes libzmq
// lower the nice value of its threads by 20. See
// https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_THREAD_PRIORITY. For when it is
// checked, see [Context.SetThreadSchedPolicy].
func (ctx *Context) SetThreadPriority(n int) error {
	return ctx.set("SetThreadPriority", n, 0, math.MaxInt32, func(c *contextState) error {
		err := c.raw.SetThreadPriority(n)
		if err == nil {
			c.scheduling.priority = n
		}
		return err
	})
}

// withOwn is how many of libzmq's sockets one socket of the program may take:
// itself and, for its monitor, two internal ones and one that libzmq makes.
const withOwn = 4

// setMaxSockets makes libzmq leave room for internal sockets, those of monitors
// and one for inprocNames, so that the program can have all its n sockets.
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

// set sets a number from least to most.
func (ctx *Context) set(name string, n, least, most int, f func(c *contextState) error) error {
	return ctx.call(func(c *contextState) error {
		if n < least || n > most {
			return invalid("%s(%d): want a number from %d to %d", name, n, least, most)
		}
		err := f(c)
		if AsErrno(err) == Errno(syscall.EINVAL) {
			return &usageError{fmt.Sprintf("%s(%d): more than the loaded libzmq allows", name, n), err}
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

// scheduling says how libzmq's threads are scheduled; -1 means like the threads
// of the program.
type scheduling struct{ policy, priority int }

// checkScheduling tries on a separate thread what libzmq will do on its
// threads. If that fails there, libzmq aborts the process (thread.cpp,
// thread_t::applySchedulingParameters).
func (c *contextState) checkScheduling() error {
	want := c.scheduling
	if want.policy < 0 && want.priority < 0 {
		return nil
	}
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		result <- want.apply()
	}()
	if err := <-result; err != nil {
		return &usageError{fmt.Sprintf(
			"NewSocket: SetThreadSchedPolicy(%d) and SetThreadPriority(%d) were refused by the system (-1: not set); it allows priorities 1 to 99 with policies 1 and 2,"+
				" none with other policies, and more than the default to privileged processes only", want.policy, want.priority), AsErrno(err)}
	}
	return nil
}

// apply changes the scheduling of the calling thread.
func (want scheduling) apply() error {
	const fifo, roundRobin = 1, 2 // SCHED_FIFO, SCHED_RR
	policy, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETSCHEDULER, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	var priority int32 // struct sched_param
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETPARAM, 0, uintptr(unsafe.Pointer(&priority)), 0); errno != 0 {
		return errno
	}
	if want.policy >= 0 {
		policy = uintptr(want.policy)
	}
	realtime := policy == fifo || policy == roundRobin
	if want.priority >= 0 {
		priority = 0
		if realtime {
			priority = int32(want.priority)
		}
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, 0, policy, uintptr(unsafe.Pointer(&priority))); errno != 0 {
		return errno
	}
	if want.priority < 0 || realtime {
		return nil
	}
	// libzmq calls nice(-20) then, and takes a new nice value of -1 for an
	// error.
	old, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0) // 20 minus the nice value
	if err != nil || old == 1 {
		return cmp.Or(err, error(syscall.EINVAL))
	}
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, max(-old, -20)); err != syscall.EACCES {
		return err
	}
	return syscall.EPERM
}
