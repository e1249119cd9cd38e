// Package zmqsafetest helps tests of programs that use package zmqsafe. It
// finds sockets and contexts that a test leaves open, and closes contexts at
// the end of a test within a time limit, so that a hang names its test.
//
//	func TestMain(m *testing.M) { zmqsafetest.VerifyTestMain(m) }
//
//	func TestWorker(t *testing.T) {
//		ctx := zmqsafetest.NewContext(t) // closed at the end of the test
//		...
//	}
//
// [NewContext] makes the context of a test. [VerifyNone] checks one test for
// leaks, [VerifyTestMain] all tests of a package; [Find] returns what they
// find.
//
// # What is a leak
//
// A leak is a context that isn't closed, or whose zmq_ctx_term hasn't returned,
// and a socket that isn't closed, in any context. The default context (see
// [zmqsafe.NewSocket]) is no leak unless it has sockets: zmqsafe makes it by
// itself and never a second time, so a test can't close it.
//
// If a program loses its last reference to a socket or context, zmqsafe closes
// it when the garbage collector has found it, a socket 10 s later, and logs
// that. It is no leak then.
//
// # Order
//
// NewContext closes the context in a cleanup of the test, with all of its
// sockets: a context owns its sockets, so those that the test forgot are closed
// too. Cleanups run after the deferred calls of the test, and the last one
// first. So
//
//	ctx := zmqsafetest.NewContext(t)
//	defer zmqsafetest.VerifyNone(t, zmqsafetest.IgnoreCurrent())
//
// is for a test that must close each socket itself, and
//
//	t.Cleanup(func() { zmqsafetest.VerifyNone(t) })
//	ctx := zmqsafetest.NewContext(t)
//
// for a test that must close its other contexts.
//
// # Together with goleak
//
// An open context has goroutines, and so has the default context after its
// first socket. Find fits into goleak's Cleanup option, as an example of Find
// shows.
package zmqsafetest
