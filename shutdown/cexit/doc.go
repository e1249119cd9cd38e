// Package cexit closes what a Go library has open when the C program that it is
// part of calls exit.
//
// A Go program ends without C's atexit handlers. A C program with a Go library
// (-buildmode=c-archive or c-shared) doesn't: when its main returns or anything
// calls exit, its atexit handlers and the destructors of its libraries run
// while Go's goroutines still use the threads and descriptors of libraries such
// as libzmq. [Register] makes closing one of the handlers:
//
//	//export reports_start
//	func reports_start() C.int {
//		ctx, err := zmqsafe.NewContext()
//		if err != nil {
//			return -1
//		}
//		if err := cexit.Register(ctx, 5*time.Second); err != nil {
//			return -1
//		}
//		…
//
// The package needs cgo and a POSIX system, and is tested on Linux with glibc.
// Otherwise it needs only the standard library.
//
// # Order
//
// C runs atexit handlers newest first, and each Register adds one. So things
// are closed newest first: after the handlers that the host registers later,
// before those that it registered earlier, and before the destructors of the
// libraries that were loaded earlier, such as libzmq. This holds in a c-archive
// and in a c-shared library, linked or loaded with dlopen. dlclose doesn't
// unload a Go library, and closes nothing. If you link a c-archive into a
// shared library of your own, pass -z nodelete to the linker: otherwise dlclose
// closes what is registered, and then unmaps the code of Go's running threads,
// which may crash the process.
//
// Call Register as late as possible: in the function that starts things, not in
// init, which in a c-archive runs concurrently with the host's main. If things
// must be closed in an order of their own, such as workers before sockets,
// register one value that knows the order.
//
// # Which exits it sees
//
// Handlers run when main of the C program returns, and when anything calls
// exit: the C program, on any of its threads, C code that Go has called, or Go
// with C.exit. The last includes Go programs, but not with the race detector. A
// goroutine that calls C.exit keeps its locks; if closing needs one of them,
// the timeout ends the wait.
//
// No atexit handler runs when the process ends otherwise:
//   - in Go: os.Exit, log.Fatal, the end of a Go main, a panic that isn't
//     recovered
//   - in C: _exit, _Exit, quick_exit, abort, and every signal that kills
//
// In a child made by fork, exit closes nothing: Go doesn't run there, and what
// is open belongs to the parent.
//
// C doesn't allow exit to be called twice, or in a signal handler. If a second
// thread calls it while things are being closed, the process may end before
// they are; newer C libraries, such as glibc 2.41, make that thread wait.
//
// # What is already closed
//
// C can't remove an atexit handler. So a registered value stays in memory, and
// its Shutdown is called at exit even if the library has already closed it.
// Shutdown must allow that, as those of zmqsafe.Context and http.Server do. A
// library that can be started repeatedly registers one value, whose Shutdown
// closes what is open at the time.
package cexit
