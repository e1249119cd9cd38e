// Package linger has a type for how long a closed ZeroMQ socket may keep
// sending its unsent messages.
//
// libzmq takes that time as the option ZMQ_LINGER: a C int of milliseconds, or
// -1 for forever, which is its default. With a dead peer, a program then never
// ends. A [Policy] is that time as a Go value. It is finite unless you ask for
// [Forever] by name, and never holds a value that libzmq refuses.
//
//	linger.Default                   // 1 s; also the zero Policy
//	linger.Drop                      // don't wait for unsent messages
//	linger.MustFor(250*time.Millisecond)
//	linger.Forever                   // until all is sent
//
// libzmq may abort the process if a linger ends in the middle of sending a
// multipart message and the peer ends in the same moment. With Drop both are
// likely to coincide. So package zmqsafe gives libzmq 100 ms at least for
// sockets that have sent one: Drop then means that nothing is promised.
//
// A linger ends when the last message is handed to the operating system. That
// doesn't mean that a peer has received it.
//
// A Policy reads and writes itself as text, such as drop, forever or 250ms, so
// it fits flag.TextVar, JSON strings and environment variables: see [Parse].
//
// The package imports only the standard library, and doesn't need libzmq, which
// describes the option at http://api.zeromq.org/4-3:zmq-setsockopt.
package linger
