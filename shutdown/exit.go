package shutdown

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"
)

// The exit statuses of [Main]. A second signal n exits with 128+n.
const (
	StatusOK       = 0   // success, also after a signal
	StatusError    = 1   // a worker, a step or setup failed
	StatusPanic    = 2   // one of them panicked; the Go runtime uses 2, too
	StatusDeadline = 124 // one of them overran its time; timeout(1) uses 124, too
)

// Exit ends the process with the given status, as os.Exit does, but closes
// first: it stops every [Group] that was used and is not closed yet. Call it
// instead of os.Exit and, after log.Print, instead of log.Fatal.
//
// Errors of closing go to standard error. If code is 0, they change the status
// to their [ExitStatus]. Of several calls, the first with a code other than 0
// decides. Systems keep only 8 bits of a status; a code that would become 0,
// such as 256, becomes 1.
//
// Exit doesn't return. It ends the calling goroutine with runtime.Goexit, so a
// worker ends with it, and deferred calls run, which unlock what others need
// for stopping. If a deferred call during a panic calls Exit, the panic is
// dropped, as by os.Exit. Exit waits for workers and steps, and not for
// deferred calls of other goroutines. Don't let main return meanwhile, since
// that ends the process; [Group.Run] and [Main] wait. A worker or step that
// calls runtime.Goexit itself has failed, also while Exit is under way.
//
// Exit may be called from any goroutine, including workers, steps, setup, main
// and init. It takes as long as the slowest group, [Group.Timeout] at most.
func Exit(code int) {
	if code != 0 && code&0xff == 0 {
		code = 1
	}
	registry.code.CompareAndSwap(0, int64(code))
	first := !registry.exiting.Swap(true)
	registry.mu.Lock()
	groups := slices.Collect(maps.Keys(registry.roots))
	registry.mu.Unlock()
	cause := fmt.Errorf("shutdown: Exit(%d) was called", code)
	for _, g := range groups {
		g.stop(cause)
	}
	if first {
		go exit(groups)
	}
	runtime.Goexit()
}

// exit takes the groups down, and ends the process.
func exit(groups []*Group) {
	errs := make([]error, len(groups))
	var stops sync.WaitGroup
	for i, g := range groups {
		stops.Go(func() { errs[i] = g.finish(context.Background()) })
	}
	stops.Wait()

	err := errors.Join(errs...)
	code := int(registry.code.Load())
	if code == 0 {
		code = ExitStatus(err)
	}
	quit(code, err)
}

// holdForExit doesn't return while Exit is under way.
func holdForExit() {
	if registry.exiting.Load() {
		select {}
	}
}

// quit writes err to standard error and ends the process, even if nobody reads
// standard error.
func quit(code int, err error) {
	if err != nil {
		time.AfterFunc(lateLines, func() { os.Exit(code) })
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// ExitStatus returns the exit status for an error of [Group.Run] or
// [Group.Shutdown]: [StatusOK] for nil; [StatusPanic] if anything panicked;
// else [StatusDeadline] if a worker or a step overran its time, or the error of
// a step wraps context.DeadlineExceeded; else [StatusError]. A worker's own
// context.DeadlineExceeded, for example from a request, is like any other
// error.
func ExitStatus(err error) int { return statusOf(err, false) }

// statusOf is ExitStatus; closing says that err is from closing something.
func statusOf(err error, closing bool) int {
	switch e := err.(type) {
	case nil:
		return StatusOK
	case *PanicError:
		return StatusPanic
	case *Error:
		closing = e.Kind == kindStep
	case *closingError:
		closing = true
	}
	status := StatusError
	if _, overrun := err.(*overrunError); overrun || closing && is(err, context.DeadlineExceeded) {
		status = StatusDeadline
	}
	for _, wrapped := range unwrap(err) {
		inner := statusOf(wrapped, closing)
		if inner == StatusPanic {
			return inner
		}
		status = max(status, inner)
	}
	return status
}
