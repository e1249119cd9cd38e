// Package waker notices when the ZMQ_FD of a socket becomes readable, and wakes
// whoever waits for the socket. It is the only part of zmqsafe that depends on
// how an operating system watches descriptors, and knows nothing of sockets: it
// is given an id, a descriptor, and something to wake.
//
// waker_epoll.go is the one for Linux. A port defines a type Waker, whose zero
// value is ready for Start, with these methods. Any goroutine may call them at
// any time after Start, and none of them blocks.
//
//   - Start(logger) begins to watch. While nothing happens a Waker holds no
//     operating system thread. What goes wrong later is logged.
//   - Add(id, fd, sleeper) watches fd: from now on each edge, when fd becomes
//     readable, calls sleeper.Wake once or more. An edge that was there before
//     counts. A descriptor is never read.
//   - Remove(id, fd) ends that. When it returns no Wake is under way, and none
//     follows. It must come before the owner closes fd.
//   - Follow(id, fd) is Remove for a descriptor whose owner is about to close
//     it, but at a time that nobody is told. It reports whether Holds can tell.
//   - Holds(id, fd) reports, after Follow, whether the owner still has fd open.
//     It is false for good once the owner has closed it, whoever has the number
//     then, and even if a duplicate of it is still open.
//   - Drain passes on edges: when it returns, every edge that was there when it
//     was called has called Wake, whoever noticed it.
//   - Close ends watching, and returns when nothing of it is left. Nothing may
//     be added after it.
//
// Wake is called with the Waker's lock held: it must not block, nor call back.
//
// A port also has NewStandIn, StandsIn and RetireStandIn, for descriptors that
// programs get: see standin_epoll.go.
package waker

// Sleeper is what a Waker wakes.
type Sleeper interface{ Wake() }
