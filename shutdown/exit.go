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

// registry is what Exit has to know.
var registry struct {
	mu      sync.Mutex
	roots   map[*Group]struct{} // used, not taken down, and not a part of another group
	exiting bool
	code    int
}

func enlist(g *Group) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if g.parent != nil {
		return
	}
	if registry.roots == nil {
		registry.roots = make(map[*Group]struct{})
	}
	registry.roots[g] = struct{}{}
}

func delist(g *Group) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	delete(registry.roots, g)
}

// nest makes inner a part of outer.
func nest(inner, outer *Group) error {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if isPartLocked(outer, inner) {
		return errors.New("a group can't be a part of itself")
	}
	if inner.parent != nil && inner.parent != outer {
		return errors.New("the group is a part of another group already")
	}
	inner.parent = outer
	delete(registry.roots, inner)
	return nil
}

// isPartLocked reports whether inner is outer or a part of it.
func isPartLocked(inner, outer *Group) bool {
	for inner != nil && inner != outer {
		inner = inner.parent
	}
	return inner != nil
}

// owns reports whether ctx is of a worker or step of g, or of a group inside.
func (g *Group) owns(ctx context.Context) bool {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return isPartLocked(groupOf(ctx), g)
}

func isRoot(g *Group) bool {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return g.parent == nil
}

// exitError is the cause of a stop that Exit has begun.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("shutdown: Exit(%d) was called", e.code) }

// Exit ends the program with the given status, as os.Exit does, but closes first:
// it begins the stop of every group that was used and isn't taken down yet, and
// ends the process when that is done. Errors of closing are written to standard
// error; if code is 0 they make it what ExitStatus says, and another code is kept.
// Use it instead of os.Exit and, after log.Print, instead of log.Fatal.
//
// Exit may be called from anywhere: a worker, a step, setup, main, init. It
// doesn't return. It ends the calling goroutine by runtime.Goexit, so deferred
// calls run, a worker that calls Exit is out, and a mutex unlocked by defer is
// free for those who still have to stop. A panic that a deferred call of Exit finds
// going on is dropped, as it is by os.Exit. Deferred calls of other goroutines than
// workers and steps are not waited for. Don't let main return meanwhile: that
// ends the program, too. Run and Main know, and wait.
//
// Exit takes as long as the slowest group, Timeout at most. Of several calls the
// first that has a code other than 0 counts. A system keeps 8 bits of code; if
// they would be 0, as for 256, it is 1.
func Exit(code int) {
	if code != 0 && code&0xff == 0 {
		code = 1
	}
	registry.mu.Lock()
	first := !registry.exiting
	registry.exiting = true
	if registry.code == 0 {
		registry.code = code
	}
	groups := slices.Collect(maps.Keys(registry.roots))
	registry.mu.Unlock()
	for _, g := range groups {
		g.stop(&exitError{code})
	}
	if first {
		go exit(groups)
	}
	runtime.Goexit()
}

// exit takes the groups down, and ends the program.
func exit(groups []*Group) {
	errs := make([]error, len(groups))
	var stops sync.WaitGroup
	for i, g := range groups {
		stops.Go(func() { errs[i] = g.finish(context.Background()) })
	}
	stops.Wait()

	err := errors.Join(errs...)
	registry.mu.Lock()
	code := registry.code
	registry.mu.Unlock()
	if code == 0 {
		code = ExitStatus(err)
	}
	quit(code, err)
}

func exiting() bool {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return registry.exiting
}

// holdForExit doesn't return while Exit is under way.
func holdForExit() {
	if exiting() {
		select {}
	}
}

// quit writes err to standard error and ends the program, the second even if the
// first hangs.
func quit(code int, err error) {
	if err != nil {
		time.AfterFunc(late, func() { os.Exit(code) })
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}
