// Package shutdown stops a program in order and within a deadline, and reports
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
// A [Group] has workers, and things to close after them. [Main] makes one, runs
// it and exits. A program with a main of its own declares a Group, fills it
// with [Group.Go], [Group.Serve], [Group.Add] and [Group.AddCloser], and calls
// [Group.Run], which closes it. [Group.Shutdown] closes a group that is only
// part of a program. [Exit] replaces os.Exit and log.Fatal, which close
// nothing. The methods have examples.
//
// # The order
//
//  1. Something causes the stop: a signal, an error or a panic of a worker, the
//     return of the last worker. [Group.Run] lists all causes. From here on
//     nothing new starts.
//  2. The context of the workers is canceled, and the Shutdown of every server
//     that [Group.Serve] started is called.
//  3. The group waits for all workers to return, for [Group.Grace] at most.
//  4. It closes what was added, one after another, the last added first. Each
//     step has its share of the time. The next step runs even if one fails,
//     panics or overruns.
//  5. It waits until the deadline for workers that overran their grace.
//  6. If the network ends with the program, [Main] waits for the kernel.
//  7. [Group.Run] returns all errors, joined. Each names its worker or step.
//
// So add a thing right after making it, and before making what uses it. Workers
// may use everything that was added: the first of it is closed when they have
// returned. Pass the worker's context to whatever blocks: a ZeroMQ receive
// without a context ends only when its socket is closed, so it would use up the
// whole grace and make its worker late.
//
// Whatever is left behind is named in the error of Run and in the [Report].
// Halfway to that, a warning in the log names the worker or step that the stop
// waits for, and the line of code where it is.
//
// # Deadlines
//
// [Group.Timeout], 8 s by default, bounds the whole stop, from its cause or, if
// that is later, from the call of Run or Shutdown. Go can't end a goroutine
// from outside: a worker or step that doesn't return is left behind, and runs
// until the process ends. Steps that begin after the deadline get a canceled
// context, and 0.1 s together. So a stop takes at most 0.1 s longer than its
// Timeout, or 0.2 s if the Logger hangs.
//
// A group inside another one has that worker's or step's share of the time. If
// it is left behind, it calls the rest of its steps at once, with a canceled
// context, before the outer group goes on. So no step of it is skipped.
//
// # Exit status
//
//	0      success, also after a signal
//	1      a worker, a step or setup returned an error, or ended its goroutine
//	       by runtime.Goexit, or the group was misused
//	2      one of them panicked
//	124    a worker or a step overran its time
//	128+n  a second signal n ended the program at once
//
// A second signal also ends a program that hangs. The same signal again within
// 100 ms is not a second one, because GNU timeout may send its signal twice.
//
// # Containers and service managers
//
// Docker kills a program 10 s after it has sent SIGTERM, Kubernetes after 30 s
// less the time of the preStop hook, systemd after 90 s. Set [Group.Timeout] a
// second or two below that. If a shell is process 1 of a container, it doesn't
// pass signals on: start the program with exec.
//
// The network of a container ends with its process 1, and what the kernel has
// not delivered by then is lost. So where the program is process 1, or the
// child of an init that is, [Main] looks after the last step at the TCP
// connections that the program had when the stop began or when its workers had
// returned, and at those that peers have made to its listeners. If they have
// data that peers have not acknowledged, it waits for that, for 1 s and until
// the deadline at most. The [Report] says so. If time runs out, so does a
// warning; the exit status doesn't change. [Group.NoTCPLinger] turns the wait
// off.
//
// A program that uses Run instead, that ends a container in another way, or
// that closes its last connection before the stop begins, adds the wait of
// package
// [github.com/zmqsafe/zmq-exit/shutdown/tcplinger] to its group. More is in
// docs/containers.md and docs/systemd.md of this module.
//
// # Concurrency and tests
//
// All functions and methods are safe for concurrent use. Groups nest: a Group
// is a [Shutdowner], and its Run can be a worker of another group. Inside a
// bubble of testing/synctest, set [Group.Signals] to []os.Signal{}.
//
// # Tracing
//
// A stop is a task of runtime/trace named shutdown, with a region for the
// workers and one for each step. Goroutines of workers and steps have the pprof
// label "shutdown worker" or "shutdown step" with their name as its value.
package shutdown
