package shutdown

import "context"

// Main is a whole func main: it makes a group, calls setup with it, runs it, and
// ends the process with ExitStatus of what Run returned, after writing that to
// standard error.
//
//	func main() {
//		shutdown.Main(func(g *shutdown.Group) error {
//			g.Timeout = 20 * time.Second
//			...
//			return g.Add("zmq", zctx)
//		})
//	}
//
// setup starts workers and adds what is to be closed, and returns. It runs in a
// goroutine of its own, as a worker does: a signal makes g.Context done while
// setup is still connecting to something, an error that it returns begins the
// stop, a panic is recovered, and what it had added is closed in each case. The
// stop waits for setup as for a worker, but for 4 s if a signal comes before setup
// has returned, since g.Grace isn't known then. SIGINT and SIGTERM are caught from
// the beginning, g.Signals from when setup has returned.
//
// The program ends when the group does. Main doesn't return, and deferred calls
// of its caller are not run.
func Main(setup func(g *Group) error) {
	g := &Group{setup: make(chan struct{})}
	err := g.main(setup)
	holdForExit()
	quit(ExitStatus(err), err)
}

// main doesn't give the signals back: the program is about to end.
func (g *Group) main(setup func(g *Group) error) error {
	if err := g.startRun(); err != nil {
		return err
	}
	release := g.watch(defaultSignals)
	w := &worker{kind: kindSetup, name: kindSetup}
	if setup == nil {
		_ = g.refuse("Main: the setup function is nil")
	}
	if !g.enter(w) { // for that reason, or after Exit
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
