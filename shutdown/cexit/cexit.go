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
)

// closer is what can be registered. The signature of Register spells it out.
type closer = interface{ Shutdown(context.Context) error }

// A hook is one registration: one atexit handler of C.
type hook struct {
	closer  closer
	timeout time.Duration
	place   string // of the call of Register
}

var (
	mu sync.Mutex

	// hooks are those that have not run, oldest first. mu guards it, and is held while atexit is called, so that C has
	// as many handlers, in the same order. That is why a handler needs no argument: it is the newest one's.
	hooks []hook

	// atexit registers a handler of C that calls runNewest; tests replace it.
	atexit = registerWithC
)

// Register has s.Shutdown called when the process calls C's exit: after the atexit handlers that are registered later,
// by Register too, and before those that are registered already.
//
// timeout bounds how long the exit waits for s. The context of Shutdown ends a tenth earlier, 250 ms at most, so that a
// Shutdown that heeds it has time to return. One that doesn't is left behind, and exit goes on. With several
// registrations the timeouts add up.
//
// What goes wrong is logged with slog.Error, with the place of the call of Register: an error of Shutdown, a panic, which
// ends neither the process nor its exit, a Shutdown that was left behind. Exit waits no longer than a second for a logger
// that blocks. The exit status stays what the host gave.
//
// Register fails when s is nil or a nil pointer, when s is registered already and may be compared, when timeout isn't more
// than 0, and when C has no room for another handler. s then isn't registered. It doesn't block, and may be called from any
// goroutine.
//
// See the package documentation for the ways out in which no handler runs.
func Register(s interface{ Shutdown(context.Context) error }, timeout time.Duration) error {
	if s == nil {
		return errors.New("cexit: there is nothing to close: give something that isn't nil")
	}
	if v := reflect.ValueOf(s); (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil() {
		return fmt.Errorf("cexit: this %T is nil: give what is to be closed at exit", s)
	}
	if timeout <= 0 {
		return fmt.Errorf("cexit: timeout %v: it must be more than 0, for exit has to end some time", timeout)
	}
	h := hook{closer: s, timeout: timeout, place: "an unknown place"}
	if _, file, line, ok := runtime.Caller(1); ok {
		h.place = fmt.Sprintf("%s:%d", file, line)
	}

	mu.Lock()
	defer mu.Unlock()
	if i := slices.IndexFunc(hooks, func(old hook) bool { return same(old.closer, s) }); i >= 0 {
		return fmt.Errorf("cexit: this %T is registered already, at %s: once is enough", s, hooks[i].place)
	}
	if !atexit() {
		return errors.New("cexit: C's atexit failed: there is no memory, or no room, for another handler")
	}
	hooks = append(hooks, h)
	return nil
}

// same is a == b, or false for values that can't be compared.
func same(a, b closer) bool { return reflect.ValueOf(b).Comparable() && a == b }

// runNewest is what each of C's handlers does. The hook is taken out first: when its Shutdown calls exit again, the
// handlers that are left are those of the hooks that are left.
func runNewest() {
	mu.Lock()
	if len(hooks) == 0 {
		mu.Unlock()
		return
	}
	last := len(hooks) - 1
	h := hooks[last]
	hooks = slices.Delete(hooks, last, last+1)
	mu.Unlock()
	h.run()
}
