// Package linger says how long a closed ZeroMQ socket may keep trying to hand its unsent messages to the network.
//
// libzmq takes that time as the option ZMQ_LINGER, a C int of milliseconds in which -1 means forever, and forever is
// its default: a program whose peer is dead then never ends. A [Policy] says the same in Go's terms, can't hold a
// value that libzmq would refuse, and is finite unless [Forever] was asked for by name.
//
//	linger.Default                   // 1 s, and what the zero Policy means
//	linger.Drop                      // discard what isn't sent yet
//	linger.MustFor(250*time.Millisecond)
//	linger.Forever                   // libzmq's own default; a deadline still bounds it, see [Policy.Within]
//
// A linger ends when the last message is handed to the operating system. It does not say that a peer received it.
//
// # Text
//
// A Policy reads and writes itself as text (drop, forever, 250ms), so it fits [flag.TextVar], JSON strings and
// environment variables. See [Parse].
//
// The package is pure Go and doesn't need libzmq. The option is described at
// http://api.zeromq.org/4-3:zmq-setsockopt under ZMQ_LINGER.
package linger
