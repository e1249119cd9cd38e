package shutdown

import (
	"context"
	"time"
)

// Main is a whole func main: it makes a [Group], calls setup with it, runs it,
// writes its error to standard error, and exits with the [ExitStatus] of that.
// The package documentation has an example.
//
// setup sets the fields of the group, starts workers, adds what must be closed,
// and returns. An error that it returns, or a panic, begins the stop. So does a
// signal while setup is running, and then g.Context is canceled. Whatever setup
// has added is closed in each case. The stop waits for setup as for a worker,
// but for 4 s, since [Group.Grace] isn't known before setup has returned. Main
// watches SIGINT and SIGTERM from its beginning, and g.Signals once setup has
// returned.
//
// As process 1 of a container, Main waits after the last step until the kernel
// has delivered what the program's TCP connections had to send: the package
// documentation says how long.
//
// Main doesn't return, so deferred calls of its caller don't run.
func Main(setup func(g *Group) error) {
	g := &Group{setup: make(chan struct{})}
	err := g.main(setup)
	holdForExit()
	quit(ExitStatus(err), err)
}

// main doesn't stop watching signals, because the program is about to end.
func (g *Group) main(setup func(g *Group) error) error {
	if err := g.startRun(); err != nil {
		return err
	}
	release := g.watch(defaultSignals)
	w := &worker{kind: kindSetup, name: kindSetup}
	if setup == nil {
		_ = g.refuse("Main: the setup function is nil")
	}
	if !g.enter(w) { // refused above, or Exit was called
		close(g.setup)
	} else {
		go func() {
			defer close(g.setup)
			g.work(w, func(context.Context) error { return setup(g) })
		}()
	}
	select {
	case <-g.setup:
	case <-g.Context().Done():
	}
	if g.Context().Err() == nil {
		s := g.configure()
		if g.Signals != nil {
			g.watch(s.signals)
			release()
		}
		g.await(context.Background())
	}
	return g.finish(context.Background())
}

// setupReturned reports whether the setup function of Main has returned, or
// there is none: then the fields of the group don't change any more.
func (g *Group) setupReturned() bool { return g.setup == nil || isClosed(g.setup) }

// awaitSetup waits until the setup function of Main has returned, but no longer
// than the default grace.
func (g *Group) awaitSetup(bound context.Context) {
	if g.setupReturned() {
		return
	}
	bound, cancel := context.WithTimeout(bound, DefaultTimeout/2)
	defer cancel()
	defer g.warnHalfway(kindSetup, time.Now(), DefaultTimeout/2, func() []string {
		if g.setupReturned() {
			return nil
		}
		return []string{kindSetup}
	}).Stop()
	select {
	case <-g.setup:
	case <-bound.Done():
	}
}
