// Package zmqsafetest helps tests of programs that use package zmqsafe: it finds
// sockets and contexts that a test leaves open, and closes contexts at the end of a
// test under a time limit, so that a hang names its test.
//
//	func TestMain(m *testing.M) { zmqsafetest.VerifyTestMain(m) }
//
//	func TestWorker(t *testing.T) {
//		ctx := zmqsafetest.NewContext(t) // closed at the end of the test
//		...
//	}
//
// # What counts as a leak
//
// A context that isn't closed, also one whose zmq_ctx_term hasn't returned; and a
// socket that isn't closed, in whatever context. The default context (that of
// zmqsafe.NewSocket) without sockets is none: it is made behind the program's back,
// and once it was closed there is no second one, so a test can't tidy it up.
//
// A socket or context that nobody refers to any more is closed by zmqsafe when the
// garbage collector finds it, and reported in the log of its context. Then there is
// no leak to be found here.
//
// # In which order
//
// NewContext closes the context in a t.Cleanup, and with it all of its sockets, also
// those that the test forgot: a context owns its sockets. Cleanups run after the
// deferred calls of the test, and the last one first. So
//
//	ctx := zmqsafetest.NewContext(t)
//	defer zmqsafetest.VerifyNone(t, zmqsafetest.IgnoreCurrent())
//
// is for tests that are to close each socket, and
//
//	t.Cleanup(func() { zmqsafetest.VerifyNone(t) })
//	ctx := zmqsafetest.NewContext(t)
//
// for tests whose other contexts are to be closed.
//
// # Together with goleak
//
// An open context has goroutines, the default context after its first socket, too.
// Find fits into goleak's Cleanup option; the package's example has it.
package zmqsafetest
