package cexit

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"

	_ "github.com/zmqsafe/zmq-exit/internal/needs_CGO_ENABLED_1_and_a_C_compiler_on_Unix_or_WSL"
)

// hook is one registration, and so one atexit handler of C.
type hook struct {
	closer  interface{ Shutdown(context.Context) error }
	timeout time.Duration
	madeAt  string // file and line of the call of Register
}

var (
	mu sync.Mutex

	// hooks are those that have not run, oldest first. It is guarded by mu,
	// which is held while atexit is called, so C has the handlers in the same
	// order. Therefore a handler needs no argument: it always runs the newest
	// hook.
	hooks []hook

	// atexit registers a handler of C that calls runNewest. It is replaced in
	// tests and in race.go.
	atexit = registerWithC
)

// Register makes the process call s.Shutdown when it calls C's exit, before the
// atexit handlers that are already registered. The package documentation says
// more about the order, and lists the exits in which no handler runs.
//
// exit waits for s at most timeout, which must be positive. The context of
// Shutdown expires when nine tenths of that have passed, 250 ms before the end
// at most, so that Shutdown has time to return. If it doesn't return in time,
// it is left behind. The timeouts of several registrations add up.
//
// An error or a panic of Shutdown, or a Shutdown that was left behind, is
// logged to slog.Default(), with the place of the call of Register as the
// attribute made_at. exit waits at most 1 s for the logger. The exit status
// remains what the host passed.
//
// Register fails, and then s isn't registered, if s is nil or a nil pointer, if
// s is comparable and already registered, if timeout isn't positive, or if C
// has no memory for another handler. It doesn't block, and is safe for
// concurrent use.
func Register(s interface{ Shutdown(context.Context) error }, timeout time.Duration) error {
	if s == nil {
		return errors.New("cexit: there is nothing to close: want a value that isn't nil")
	}
	v := reflect.ValueOf(s)
	if (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil() {
		return fmt.Errorf("cexit: there is nothing to close: the %T is nil", s)
	}
	if timeout <= 0 {
		return fmt.Errorf("cexit: timeout is %v: want a positive duration", timeout)
	}
	h := hook{closer: s, timeout: timeout, madeAt: "an unknown place"}
	if _, file, line, ok := runtime.Caller(1); ok {
		h.madeAt = fmt.Sprintf("%s:%d", file, line)
	}

	mu.Lock()
	defer mu.Unlock()
	if i := slices.IndexFunc(hooks, func(old hook) bool { return v.Comparable() && old.closer == s }); i >= 0 {
		return fmt.Errorf("cexit: this %T is already registered, at %s: register it once", s, hooks[i].madeAt)
	}
	if !atexit() {
		return errors.New("cexit: C's atexit failed: there is no memory, or no room, for another handler")
	}
	hooks = append(hooks, h)
	return nil
}

// runNewest is what each of C's handlers does. It removes the hook first: if
// its Shutdown calls exit again, the remaining handlers match the remaining
// hooks.
func runNewest() {
	mu.Lock()
	last := len(hooks) - 1
	if last < 0 {
		mu.Unlock()
		return
	}
	h := hooks[last]
	hooks = slices.Delete(hooks, last, last+1)
	mu.Unlock()
	h.run()
}
