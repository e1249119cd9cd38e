package zmqsafe

import (
	"fmt"
	"math"
	"runtime"
	"syscall"
	"unsafe"
)

// scheduling is how libzmq's threads are to be scheduled; -1 is as the threads of
// the program are.
type scheduling struct{ policy, priority int }

// SetThreadSchedPolicy sets the scheduling policy of libzmq's threads, a number
// from the system's sched.h: on Linux 0 is SCHED_OTHER, 1 SCHED_FIFO, 2 SCHED_RR.
// The default is that of the program's threads. See
// https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_THREAD_SCHED_POLICY.
//
// Whether the system allows it together with SetThreadPriority turns out when the
// threads start: then the first NewSocket fails, with EPERM or EINVAL, where raw
// aborts the process. Neither option can be taken back.
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
// https://api.zeromq.org/4-3:zmq-ctx-set, ZMQ_THREAD_PRIORITY, and
// SetThreadSchedPolicy for when it is checked.
func (ctx *Context) SetThreadPriority(n int) error {
	return ctx.set("SetThreadPriority", n, 0, math.MaxInt32, func(c *contextState) error {
		err := c.raw.SetThreadPriority(n)
		if err == nil {
			c.scheduling.priority = n
		}
		return err
	})
}

// checkScheduling tries on a thread of its own what libzmq is going to do on its
// threads, where it aborts the process if that fails (thread.cpp,
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
			"NewSocket: SetThreadSchedPolicy(%d) and SetThreadPriority(%d), where -1 is not set: the system allows 1 to 99 with policies 1 and 2,"+
				" others without priority, and more than it gives everybody to privileged processes only", want.policy, want.priority), AsErrno(err)}
	}
	return nil
}

// apply changes the calling thread.
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
	return lowerNice()
}

// lowerNice is nice(-20) with libzmq's opinion of what has failed.
func lowerNice() error {
	n, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0) // 20 less the nice value
	if err != nil {
		return err
	}
	nice := 20 - n
	if nice-20 == -1 {
		return syscall.EINVAL // libzmq takes the new value for an error
	}
	err = syscall.Setpriority(syscall.PRIO_PROCESS, 0, max(nice-20, -20))
	if err == syscall.EACCES {
		return syscall.EPERM
	}
	return err
}
