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
// It has every exported name of pebbe/zmq4 v1.4.0, with raw's signature, constants
// and error values; raw here means pebbe/zmq4 used directly. The package needs
// Linux, cgo, and libzmq 4.2 or later.
//
// # The idea
//
// No call into libzmq ever blocks while it holds a socket. Send and receive are
// tried without blocking under the socket's lock, and waiting is done in Go, for
// the edge of ZMQ_FD. All else follows: any goroutine may use or close any
// socket; Close needs no trick to get a blocked receiver out; LINGER can always
// be set right before zmq_close; a receive can be cancelled and loses no message;
// ten thousand waiting goroutines are goroutines, not OS threads.
//
// # Invariants
//
//  1. No call for a socket blocks in C. The only blocking call is zmq_ctx_term,
//     on a goroutine of its own.
//  2. One goroutine at a time is inside a socket, for one message at most (all
//     parts of a multipart message), or for a bounded burst that a Proxy moves.
//  3. A socket goes open, closing, closed, and never back. The state is checked
//     under the lock before every call, so a closed socket's pointer never
//     reaches libzmq.
//  4. LINGER is set when a socket is made and again, clamped to what is left of
//     the deadline, right before zmq_close. It is finite unless the program asked
//     for forever in so many words, and even then a deadline wins.
//  5. A context that begins to close refuses new sockets under the same lock: no
//     socket is born between the closing of all sockets and zmq_ctx_term.
//  6. zmq_ctx_term is called once, after every zmq_close, never from a finalizer
//     or a cleanup, and is waited for with a bound.
//  7. libzmq's own descriptors never leave the package; what is handed out is a
//     duplicate.
//  8. Nothing depends on the garbage collector. A handle that is lost without
//     Close is reported with the place that made it and closed by the package.
//  9. The registry holds every socket that was made through the package, from
//     before its first use until after its zmq_close, and can list them at any
//     time.
//
// # Closing
//
// Context.Close, and Shutdown with a bound of one's own, do this, in this order:
//
//  1. New sockets and new calls are refused.
//  2. Calls that are blocked return ETERM: sends, receives, polls, proxies.
//  3. Sockets are closed, the newest first, each with its LINGER clamped to the
//     deadline less a tenth (250 ms at most), which is left for zmq_ctx_term. With
//     Shutdown, a LINGER that nobody has set lasts until then.
//  4. Monitors and authentication end.
//  5. zmq_ctx_term delivers what still lingers, and frees everything.
//
// Messages that Send has accepted are delivered if the peer takes them within
// the linger. Delivered means handed to the network; what a peer does with
// messages, only the peer can say.
//
// When a linger runs out, messages may be lost: that is logged, and names the
// sockets and the places that made them, ten at most; Report has all. If the
// deadline had cut the linger, Close returns it, too, as an error that wraps
// context.DeadlineExceeded.
//
// What takes long is logged while it does, after 2 s or half of the time that
// there is (where that is less than 100 ms, at its end only): which sockets libzmq
// still has, and whether it may be looking up a host name. See also "Seeing
// inside".
//
// Socket.Close returns at once: libzmq lingers in the background. It ends calls
// that are blocked on the socket with ErrorSocketClosed. If LINGER is longer than
// the close timeout of the context, zmq_close of a socket that only sends (PUSH,
// PUB, XPUB) waits for a second: after it the linger could not be cut any more, and
// most programs close the context next.
//
// A socket that went to zmq_close with a longer linger than a later deadline
// leaves is out of reach. Close and Shutdown then return in time, with an error
// that names it, and zmq_ctx_term waits for it in the background. So with long
// lingers don't close sockets one by one at the end: close the context.
//
// # Seeing inside
//
// Context.Report tells how a context was closed, and while that is under way how
// far it has come: what each step took; for each socket its endpoints, the place
// that made it, its messages, whom its end woke, its linger, and what became of it.
// It is logged at slog.LevelDebug when all is well, and with the warning when not.
//
// Contexts and Context.Sockets list what is open. The profile zmqsafe.sockets of
// runtime/pprof has the stacks that made the open sockets (ProfileName), and an
// execution trace has a task zmqsafe.Context.Close with a region for each step, as
// a part of the task that the context given to Shutdown belongs to.
// Package zmqsafetest finds what a test has left open, and package debugpage shows
// all of it to people, in a browser.
//
// # Errors
//
// libzmq's errors are plain Errno values: err == zmqsafe.ETERM works, as does
// AsErrno(err) == zmqsafe.Errno(syscall.EAGAIN). Errors about the call itself (a
// malformed endpoint, an option out of range) say what is allowed, and wrap the
// Errno that raw would return. ErrorSocketClosed and ErrorContextClosed are raw's.
// The …Context variants return ctx.Err() when ctx is done. No call panics on a
// nil or zero Socket or Context: they count as closed.
//
// # Options and rules
//
// What begins with Set, Get, Auth, ServerAuth or ClientAuth doesn't block, and any
// goroutine may call it. A socket's methods fail with ErrorSocketClosed after its
// Close and with ETERM after the context's, a context's with ErrorContextClosed.
// Options have libzmq's resolution of 1 ms. A value that libzmq refuses gives an
// error that wraps EINVAL and changes nothing.
//
// The number and scheduling of libzmq's threads and the limit of sockets have to be
// set before the first socket of the context: later they have no effect, as in
// libzmq. Most options of a socket count for endpoints that are bound or connected
// afterwards. Rules of authentication count for peers that connect afterwards, and
// may be set before AuthStart or after it.
//
// # What differs from raw
//
// In short; docs/migration.md in the repository has the whole list, with what raw
// does in each case.
//
//   - New sockets have LINGER 1 s, not forever (an XSUB 0, as with raw; a SUB has 0
//     there, too); see WithLinger and the environment variable ZMQSAFE_LINGER.
//   - Sockets, contexts, pollers and reactors are safe for concurrent use, and
//     sockets and contexts may be closed while they are in use. When several
//     goroutines wait to send on one socket, or to receive, one of them waits for
//     libzmq and the others for their turn.
//   - Term doesn't wait for open sockets: it closes them. Close and Term are
//     bounded and may be called again.
//   - A blocked call is a waiting goroutine: it holds no OS thread, and signals
//     never end it with EINTR.
//   - SendMessage sends all parts or none; with DONTWAIT raw may stop half-way.
//   - A Proxy ends when one of its sockets is closed, and loses no message.
//   - Monitor events are kept for a reader that is slow or not there yet; they
//     never stop libzmq's threads.
//   - AuthStop and Term may come in any order. An unknown PLAIN user is refused.
//   - GetFd returns a duplicate.
//   - Durations are rounded up to whole milliseconds, where raw cuts them and makes
//     0 of what is less; a Poll takes them as they are. What raw would cut off to
//     fit libzmq is EINVAL: an int beyond 32 bits, a longer duration, a negative one
//     that means nothing, a zero byte in an endpoint.
//   - Options with which libzmq aborts the process make the call fail that would
//     do so: SetUseFd and SetConnectRid in Bind and Connect, SetThreadSchedPolicy
//     and SetThreadPriority in the first NewSocket.
//   - Unbind takes the endpoint as it was given to Bind, too; an inproc name is
//     free as soon as its socket is closed. A ROUTER or REP can't Disconnect from
//     an inproc name before somebody has bound it: libzmq could abort.
//   - The first socket of a context fails with EMFILE when the descriptors that
//     libzmq's threads need can't be had; raw aborts.
//   - On error, receives return nil rather than an empty slice.
//
// # What it can't do
//
// It can't save a context whose descriptors are closed while it is open: close
// the context first. It can't shorten a host-name look-up inside libzmq; closing
// is then abandoned at its deadline and reported. Where C code calls exit, C's
// atexit handlers run with whatever is still open, unless package shutdown/cexit
// closes it before. With SetSocksProxy, libzmq 4.3.4 aborts the process when a
// socket is closed after a connection through the proxy has failed; and it may
// abort when a server that authenticates its peers connects rather than binds,
// and a peer goes while the decision is due.
//
// It can't mend libzmq, which may tear a multipart message of a PUSH, DEALER or
// REQ with three or more peers: when libzmq notices in the middle of sending it
// that another peer is gone, the rest may go to a third one (lb.cpp,
// lb_t::pipe_terminated). That takes a peer that goes within the microseconds of a
// SendMessage; between parts that are sent one by one there is more time.
package zmqsafe
