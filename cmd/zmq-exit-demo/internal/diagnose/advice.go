package diagnose

// advice says of each hazard what goes wrong and what to do.
var advice = map[string]struct{ cause, remedy string }{
	"fd-sweep": {
		"Descriptors were closed while a context was still open. libzmq's I/O thread went on working, found its descriptors gone and aborted the process.",
		"Close every socket and terminate the context before anything closes descriptors: with zmqsafe, ctx.Shutdown(…) or ctx.Close() comes first in the exit path. In a library for a C program, whose exit runs atexit handlers, cexit.Register (package shutdown/cexit) makes it come first. Let the sweep spare what it didn't open.",
	},
	"stray-close": {
		"The descriptor that GetFd returned was closed by somebody else, often by an os.File over it when the garbage collector came. libzmq aborted when it needed the descriptor to close the socket.",
		"Never let anything own that descriptor. zmqsafe's GetFd returns a duplicate, which may be closed.",
	},
	"close-while-recv": {
		"A socket was closed while another goroutine was receiving from it. A raw socket belongs to one thread at a time, Close included.",
		"With zmqsafe any goroutine may close a socket: the receiver returns ErrorSocketClosed. With raw sockets, have the receiver close its own socket.",
	},
	"shared-socket": {
		"Several goroutines used one socket at the same time, which damages its memory. A raw socket is not safe for concurrent use.",
		"zmqsafe's sockets are safe for concurrent use. With raw sockets, one goroutine owns each socket, and others reach it through a channel.",
	},
	"monitor-close": {
		"The PAIR socket that reads monitor events was closed while a goroutine was reading from it, or while events still came.",
		"Stop the monitor, have the goroutine that reads close the reader, then close the socket. With zmqsafe any goroutine may close either, in any order.",
	},
	"term-open-socket": {
		"Terminating a context waits for its sockets, and one of them was never closed.",
		"Close all sockets first. zmqsafe's Context.Close and Context.Term do so themselves, and are bounded by a timeout.",
	},
	"sigterm": {
		"A signal such as SIGTERM was caught while the program was waiting in a receive. Raw receives don't end on signals, so the program didn't see it until the next message came.",
		"Receive with a context that ends with the signal: zmqsafe's RecvContext or PollContext, with signal.NotifyContext. With raw sockets, set a receive timeout and look for the signal whenever it runs out.",
	},
	"dropped-context": {
		"A context went out of scope without Term. Its finalizer terminates it, on the goroutine that runs all finalizers, and waits there for a socket or an unsent message.",
		"Close sockets and contexts explicitly. zmqsafe has no finalizer that can block, and reports what was dropped with the place that made it.",
	},
	"proxy-stop": {
		"Sockets were closed, or their context terminated, while a proxy was running on them.",
		"Stop the proxy (ProxySteerable, TERMINATE on its control socket) and wait until it has returned; then close its sockets, then Term. With zmqsafe, closing a socket or the context stops the proxy; what it had not taken can be read from the frontend, so close the backend first.",
	},
	"auth-stop": {
		"The authentication handler has sockets in the default context, and Term waits for them.",
		"Call AuthStop before Term. zmqsafe's Term does so itself.",
	},
	"slow-dns": {
		"libzmq looks host names up on its I/O thread, and terminating waits for the answer, whatever LINGER is.",
		"Bound the wait: zmqsafe's Context.Shutdown gives up at its deadline and reports it. Or connect to addresses.",
	},
	"socket-limit": {
		"The context was at its limit of sockets while an inproc connect was still waiting for its bind; to terminate, libzmq needs one more socket.",
		"Bind before you connect, or raise ZMQ_MAX_SOCKETS. zmqsafe keeps a socket in reserve for this.",
	},
	"blocked-threads": {
		"Every goroutine that waits in a raw receive holds an OS thread, and the limit was reached.",
		"zmqsafe waits in Go: waiting goroutines hold no thread.",
	},
}
