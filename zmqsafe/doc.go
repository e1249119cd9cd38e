// Package zmqsafe is github.com/pebbe/zmq4 with lifecycle guards: programs that
// use it don't crash, hang or lose messages when they end.
//
//	import zmq "github.com/zmqsafe/zmq-exit/zmqsafe" // was "github.com/pebbe/zmq4"
//
//	ctx, err := zmq.NewContext()
//	if err != nil {
//		return err
//	}
//	defer ctx.Close() // closes every socket, then terminates; bounded
//	push, err := ctx.NewSocket(zmq.PUSH)
//
// Start with [NewContext], or with [NewContextWith] for options, and
// [Context.NewSocket], send and receive as you do with pebbe/zmq4, and close
// the context: [Context.Close], [Context.Shutdown] or [Context.Term]. The
// examples show the common patterns.
//
// The package has every exported name of pebbe/zmq4 v1.4.0, with the same
// signatures, constants and error values. It needs Linux, cgo, and libzmq 4.3
// or later.
//
// # The idea
//
// No call into libzmq blocks while it holds a socket. Sends and receives are
// tried without blocking under the socket's lock, and waiting is done in Go,
// for the edge of ZMQ_FD. Everything else follows: any goroutine may use or
// close any socket; Close needs no trick to get a blocked receiver out; LINGER
// can always be set right before zmq_close; a receive can be cancelled and
// loses no message; ten thousand waiting goroutines are goroutines, not
// operating system threads.
//
// # Invariants
//
//  1. No call for a socket blocks in C. The only call that blocks is
//     zmq_ctx_term, on a goroutine of its own.
//  2. One goroutine at a time is inside a socket, for one message at most (all
//     parts of a multipart message), or for a bounded burst: of a Proxy, or of
//     what a close counts.
//  3. A socket goes open, closing, closed, and never back. The state is checked
//     under the lock before every call, so a closed socket's pointer never
//     reaches libzmq.
//  4. LINGER is set when a socket is made, and again right before zmq_close,
//     clamped to what is left of the deadline. It is finite unless the program
//     asked for forever explicitly, and even then a deadline wins. A socket
//     that has sent a multipart message has 100 ms at least in libzmq.
//  5. A context that begins to close refuses new sockets under the same lock:
//     no socket is born between the closing of all sockets and zmq_ctx_term.
//  6. zmq_ctx_term is called once, after every zmq_close, never from a
//     finalizer or a cleanup, and the wait for it is bounded.
//  7. libzmq's own descriptors never leave the package. Programs get stand-ins.
//  8. Nothing depends on the garbage collector. A handle that leaks without
//     Close is reported with its call site, and the package closes it: a
//     socket after 10 s, unless its context is closed by then.
//  9. The registry holds every socket that the package has made, from before
//     its first use until after its zmq_close, and can list them at any time.
//
// # Closing
//
// [Context.Close], and [Context.Shutdown] with a bound of your own, do this in
// this order:
//
//  1. They refuse new sockets and new calls.
//  2. They end calls that are blocked: sends, receives, polls and proxies
//     return ETERM.
//  3. They close the sockets, the newest first. Each gets its LINGER, clamped
//     to the deadline less a tenth (250 ms at most), which is left for
//     zmq_ctx_term. With Shutdown, a LINGER that nobody has set lasts until
//     then.
//  4. They end monitors and authentication.
//  5. zmq_ctx_term delivers what still lingers, and frees everything.
//
// Messages that a send has accepted are delivered if the peer takes them within
// the linger. Delivered means handed to the network. What a peer does with
// messages, only the peer can say.
//
// When a linger runs out, messages may be lost. That is logged with the sockets
// and their call sites, ten at most; [Context.Report] has all of them. If the
// deadline had cut the linger, Close also returns it as an error that wraps
// [context.DeadlineExceeded].
//
// A close that takes long is logged while it does, after 2 s or half of the
// time that it has: which sockets libzmq still has, and whether it may be
// looking up a host name. If it has less than 100 ms, only its end is logged.
//
// [Socket.Close] ends calls that are blocked on the socket with
// [ErrorSocketClosed], and libzmq lingers in the background. Programs that
// never close their context lose nothing either: the Close of the last socket
// that was open waits for what is unsent, see there. A linger that runs out
// while the context is open is logged once for each line that makes such
// sockets, and is in the report of the close.
//
// If LINGER is longer than the close timeout of the context, zmq_close of a
// socket that only sends (PUSH, PUB, XPUB) is deferred for a second: after
// zmq_close nothing can cut the linger, and most programs close the context
// next. So whoever sets such a LINGER should close the context: Close doesn't
// wait then. If that socket has bound a port (or a file, with ipc), its
// zmq_close isn't deferred, so that the port is free: its LINGER is cut to the
// close timeout, less a tenth (250 ms at most).
//
// zmq_close of a socket that has connected to an inproc name that nobody has
// bound is deferred until somebody does, or the context is closed. A port that
// it has bound is free when libzmq has sent everything there, since zmq_unbind
// drops what is unsent: at the latest when its LINGER is over, or the close
// timeout, and not before if nobody sees what libzmq has sent
// ([Socket.Unbind]).
//
// A socket may have gone to zmq_close with a linger that is longer than a later
// deadline leaves. Nobody can reach it any more. Close and Shutdown then return
// in time, with an error that names it, and zmq_ctx_term waits for it in the
// background. So if lingers are long, don't close sockets one by one at the
// end: close the context.
//
// # Detaching
//
// libzmq drops what is unsent at [Socket.Unbind], whatever the linger, and
// after [Socket.Disconnect] it lingers for the linger of that moment, which
// nothing can change later: zmq_ctx_term waits for it. Unbind waits a moment
// for what is unsent; what other goroutines send while libzmq carries it out
// may be lost. What may be lost is logged, by Unbind at once and for a
// Disconnect at the end of the context, once for each line of the program, and
// [Report.Detached] lists all. The package sees in /proc whether all was sent.
// If that doesn't say enough, every Unbind after a send is logged, see there.
//
// # What has arrived
//
// Closing a socket throws away what has arrived and was not received. The close
// counts it, within bounds: it is in the report ([ClosedSocket], Unread) and in
// one warning, which ends with "they are lost". A SUB or XSUB that ends while
// its feed goes on always has some, so for these only the report says it.
//
// [Socket.Drain] loses less. It receives until the program is told to stop, and
// then goes on until nothing more comes, or for as long as you give it;
// [ProxyDrain] does the same for a proxy. A SUB unsubscribes first. Nothing can
// stop the peers of a PULL, DEALER or ROUTER from sending, so if they go on,
// some messages arrive after the drain and are lost. Only acknowledgements, or
// senders that stop before their receivers, lose nothing.
//
// # Seeing inside
//
// [Context.Report] says how a context was closed, or how far that has come: how
// long each step took, and for each socket its endpoints, its call site, its
// messages, the calls that its close ended, its linger, and the result. The
// report is logged as the attribute "report": at [slog.LevelDebug] when all is
// well, and with the warning when not. With ZMQSAFE_REPORT=FILE in the
// environment every close also writes its report to FILE, as one line of JSON,
// before it returns: see [ReportVariable] and [Report.MarshalJSON].
//
// What goes wrong is logged with [log/slog], see [WithLogger]. Log messages are
// constant texts, so they can be grouped and alerted on: those about possible
// loss end with "unsent messages may be lost", or with "they are lost" for what
// had arrived. The attribute made_at is the call site that made the context or
// socket.
//
// [Contexts] and [Context.Sockets] list what is open. The profile
// zmqsafe.sockets of runtime/pprof has the stacks that made the open sockets
// (see [ProfileName]). An execution trace has a task zmqsafe.Context.Close with
// a region for each step; it is part of the task that the context given to
// Shutdown belongs to. Package zmqsafetest finds what a test has left open, and
// package debugpage shows everything in a browser.
//
// # Errors
//
// libzmq's errors are plain [Errno] values: err == zmqsafe.ETERM works, and so
// does AsErrno(err) == zmqsafe.Errno(syscall.EAGAIN). Errors about the call
// itself (a malformed endpoint, an option out of range, no descriptor left) say
// what is allowed, and wrap the Errno that pebbe/zmq4 would return.
// [ErrorSocketClosed] and [ErrorContextClosed] are those of pebbe/zmq4. The
// …Context variants return ctx.Err() when ctx is done. No call panics on a nil
// or zero [Socket] or [Context]: they are closed ones.
//
// So these hold for all errors, plain or wrapped: [AsErrno], errors.Is(err,
// zmqsafe.Errno(syscall.EAGAIN)), and errors.Is(err,
// zmqsafe.ErrorSocketClosed). errors.Is with [syscall.Errno] or with
// [net.ErrClosed] holds for those that wrap, the latter for calls on a nil
// Socket or Context. It can't hold for the plain ones: programs compare them
// with ==, so they must be pebbe/zmq4's own, which match nothing else.
//
// # Options and rules
//
// Methods that begin with Set, Get, Auth, ServerAuth or ClientAuth don't block,
// and any goroutine may call them. A socket's methods fail with
// [ErrorSocketClosed] after its Close and with ETERM after the context's, a
// context's methods with [ErrorContextClosed]. Options have libzmq's resolution
// of 1 ms. A value that libzmq refuses gives an error that wraps EINVAL, and
// changes nothing.
//
// Set the number and the scheduling of libzmq's threads and the limit of
// sockets before the first socket of the context: later they have no effect, as
// in libzmq. Most options of a socket apply to endpoints that are bound or
// connected afterwards. Rules of authentication apply to peers that connect
// afterwards; you may set them before or after [AuthStart].
//
// # What differs from pebbe/zmq4
//
// In short; docs/migration.md in the repository has the whole list, with what
// pebbe/zmq4 does in each case.
//
//   - New sockets have LINGER 1 s, not forever; an XSUB has 0. See [WithLinger]
//     and [LingerVariable].
//   - Sockets, contexts, pollers and reactors are safe for concurrent use.
//     Sockets and contexts may be closed while they are in use.
//   - Term closes open sockets instead of waiting for them. Close and Term are
//     bounded and may be called again.
//   - Closing the last open socket of a context waits for what is unsent:
//     [WithCloseWait] and [CloseWaitVariable].
//   - A blocked call holds no operating system thread and never ends with
//     EINTR.
//   - A low SNDHWM drops nothing that a peer has room for, and no
//     subscription: [Socket.SetSndhwm].
//   - SendMessage sends all parts or none, even with DONTWAIT.
//   - A Proxy ends when one of its sockets is closed, and loses no message.
//   - Monitor events are kept for a reader that is slow or not there yet. They
//     never stop libzmq's threads.
//   - AuthStop and Term may come in any order. An unknown PLAIN user is
//     refused.
//   - GetFd returns a descriptor that stands in for libzmq's, and outlives the
//     socket.
//   - Durations are rounded up to whole milliseconds, not cut; a Poll takes
//     them as they are. What libzmq can't hold is EINVAL, not cut: an int
//     beyond 32 bits, a longer duration, a negative one that means nothing, a
//     zero byte in an endpoint.
//   - Some options make libzmq abort the process later. Here the call that
//     would do so fails: Bind and Connect after SetUseFd or SetConnectRid, the
//     first NewSocket after SetThreadSchedPolicy or SetThreadPriority. Too few
//     descriptors for libzmq's threads make it fail with EMFILE.
//   - Unbind also takes the endpoint as it was given to Bind. An inproc name is
//     free as soon as its socket is closed. A ROUTER or REP can't Disconnect
//     from an inproc name before somebody has bound it.
//   - On error, receives return nil rather than an empty slice.
//
// # What it can't do
//
// It can't save a context whose descriptors are closed while it is open: close
// the context first. It can't shorten a host-name look-up inside libzmq;
// closing is then abandoned at its deadline and reported. If C code calls exit,
// C's atexit handlers run with whatever is still open, unless package
// shutdown/cexit closes it before. With SetSocksProxy, libzmq 4.3.4 aborts the
// process when a socket is closed after a connection through the proxy has
// failed. It may also abort when a server that authenticates its peers connects
// rather than binds, and a peer goes while the decision is pending.
//
// When a linger of any length ends in the middle of sending a multipart message
// over tcp or ipc, and the peer's connection ends in that very moment, libzmq
// aborts the process (session_base.cpp, session_base_t::clean_pipes). With a
// [Socket.Disconnect] that moment is the end of its linger, too. With
// [Socket.Unbind] it is right after the call, and lasts until a DEALER, ROUTER
// or PAIR has read what had arrived. Of peers that ended within 1 ms before and
// 3 ms after, on two processors with much else to do, 1 in 20 caused it after a
// Close, 1 in 10 after a Disconnect, 1 in 7 at an Unbind. So let receivers end
// after senders, and not at the same deadline.
//
// A socket that receives, with heartbeats and a finite RCVHWM, makes libzmq
// abort the process if its queue is full and the peer ends or the heartbeat's
// time-out passes ([Socket.SetHeartbeatIvl]). Bind and Connect warn of it. So
// does the time to live that a peer sends with its heartbeats
// ([Socket.SetHeartbeatTtl]), which nobody can see from here.
//
// A high-water mark that changes after Bind or Connect makes libzmq crash if a
// peer is just ending ([Socket.SetRcvhwm]). A warning says so.
//
// Bind, and Connect with a source address, need a descriptor to look through
// the network interfaces, and fail with EMFILE if there is none. If the last
// one goes in that very moment, or while libzmq connects again from a source
// address, it aborts the process.
//
// The last value of a socket with CONFLATE isn't always kept:
// [Socket.SetConflate].
//
// It can't save messages that libzmq itself throws away at a slow receiver. If
// RCVHWM ([Socket.SetRcvhwm]) is finite and the receiver is slower than its
// peer, what the queue has no room for waits in the kernel. When the peer then
// closes its socket and ends, libzmq drops that: over ipc always, over tcp if
// the receiver has sent something meanwhile. The peer's close succeeds, and
// neither side is told. Either set RCVHWM to 0, so that the queue takes
// everything and only memory limits it; or let the peer end only after an
// answer to its last message.
//
// While that queue is full, libzmq doesn't see the peer end, either: over ipc,
// and over tcp if the receiver has sent something meanwhile. If the program
// closes the socket before it has received everything, and has sent messages,
// the close takes the whole linger, and warns though all may have been sent
// (stream_engine_base.cpp, restart_output).
//
// It can't see what libzmq still has of a batch that the kernel didn't take:
// 8192 bytes at most, lost in silence when the socket is closed. That takes a
// peer that reads nothing until the buffers of the kernel are full, and the
// last 8192 bytes must be what fills them. If your peers may stall, let them
// answer before you close. See [Socket.SetSndbuf] for small buffers, which are
// safe from a peer that is only slow.
//
// It can't mend libzmq, which may tear a multipart message of a PUSH, DEALER or
// REQ with three or more peers: if libzmq notices in the middle of sending it
// that another peer is gone, the rest may go to a third one (lb.cpp,
// lb_t::pipe_terminated). That takes a peer that goes within the microseconds
// of a SendMessage. Between parts that are sent one by one there is more time.
package zmqsafe
