// Package shutdown takes a program down in order, within a deadline, and says
// what happened. It is pure Go and needs nothing but the standard library.
//
//	func main() {
//		shutdown.Main(func(g *shutdown.Group) error {
//			zctx, err := zmqsafe.NewContext()
//			if err != nil {
//				return err
//			}
//			if err := g.Add("zmq", zctx); err != nil { // closed last
//				return err
//			}
//			g.Go("feed", func(ctx context.Context) error { return feed(ctx, zctx) })
//			return g.Serve("http", server.ListenAndServe, server)
//		})
//	}
//
// A program that has a main of its own uses a Group: Go, Serve, Add, then Run.
//
// # The order
//
//  1. There is a cause: a signal, a worker's error or panic, the end of the last
//     worker; Run has the list. From here on nothing new is started.
//  2. The context of the workers is done; the Shutdown of those that Serve has
//     started is called.
//  3. All workers return, or their grace ends: half of the time, if nothing else
//     is said.
//  4. What was added is closed, one after another, what was added last first.
//     Each has its share of the time. A step that fails, panics or overruns
//     doesn't keep the next from running.
//  5. Workers that had overrun their grace have until the deadline.
//  6. Run returns all errors, joined. Each names its worker or step.
//
// So add a thing right after it is made, and before what uses it is made.
// Workers use what was added: they are out before the first of it is closed. One
// that waits for something that only closing ends, such as a ZeroMQ receive
// without a context, holds all up until its grace is over, and was late: give the
// receive the worker's context.
//
// Nothing is lost on the way. The first signal while setup is still at work is
// caught, and what setup had added is closed. What is added after the stop has
// begun is closed, too, and Add says so. What can't be waited for any longer is
// named in the error and in the Report; half-way to that a warning says which
// worker or step the stop is waiting for, and where in the code that is.
//
// # Deadlines
//
// Group.Timeout, 8 s by default, bounds all of it, counted from the cause or, if
// that is later, from the call of Run or Shutdown. A goroutine can't be ended
// from outside: a worker or a step that doesn't return is left behind, and goes
// on until the program ends. Steps that are reached when all time is over are
// still called, with a context that is done, and have 0.1 s together; that is the
// most by which a stop takes longer than its Timeout, unless the Logger hangs,
// which may cost another 0.1 s.
//
// # Exit status
//
//	0      all went well, also after a signal: to stop when told to is no failure
//	1      a worker, a step or setup returned an error, or the group was used wrongly
//	2      one of them panicked
//	124    a worker or a step wasn't done in time
//	128+n  a second signal n ended the program at once
//
// Of several, panic comes first, then the deadline. The second signal is also the
// way to end a program that hangs. GNU timeout may send one signal twice, within a
// fraction of a millisecond and with SIGCONT after it; that counts as one.
//
// os.Exit and log.Fatal close nothing. Exit closes, and then ends the program with
// a status of one's own.
//
// # What is outside
//
// Docker sends SIGTERM and after 10 s SIGKILL, Kubernetes after 30 s
// (terminationGracePeriodSeconds, which the preStop hook uses up, too), systemd
// after 90 s (TimeoutStopSec). Timeout has to be less, with a second or two for
// the rest. A program that is process 1 of its container is not killed by SIGTERM
// unless it catches it, and Main does. If a shell is process 1 it doesn't pass
// signals on: start the program with exec. The network of a container ends with
// its process 1, and with it what the kernel has not delivered: see TCPLinger.
//
// # Concurrency and tests
//
// All methods may be called from any goroutine. Groups nest: a Group is a
// Shutdowner, and its Run is a worker of another. Inside a bubble of
// testing/synctest, set Signals to []os.Signal{}.
//
// # Tracing
//
// A stop is a task of runtime/trace, named shutdown, with a region for the workers
// and one for each step. Goroutines of workers and steps have a pprof label with
// their name, "shutdown worker" or "shutdown step".
package shutdown
