// Package cexit closes what a Go library has open when the C program that it is part of calls exit.
//
// A Go program ends without C's atexit handlers. A C program with a library in Go (-buildmode=c-archive or c-shared)
// doesn't: when its main returns or anybody calls exit, its handlers and the destructors of all its libraries run, while
// Go's goroutines, and the threads and descriptors of libraries such as libzmq, are in full use. [Register] makes closing
// them one of the handlers:
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
// # Order
//
// C runs atexit handlers newest first, and each Register is one of them. So things are closed newest first, after the
// handlers that the host registered later, and before those that it registered earlier and before the destructors of the
// libraries that were loaded earlier, libzmq among them. It is the same in a c-archive and in a c-shared library, whether
// linked or loaded with dlopen: dlclose doesn't unload a Go library and closes nothing. A c-archive inside a shared library
// of yours needs the linker's -z nodelete for that: without it, dlclose closes what is registered and then takes the code
// away under Go's running threads, and the process may crash.
//
// Call Register as late as the host lets you: in the function that starts things, not in init, which in a c-archive runs
// beside the beginning of the host's main. What has to be closed in an order of its own (workers before sockets) is
// registered as one thing that knows the order.
//
// # Which ways out it sees
//
// Handlers run when main of the C program returns and when exit is called: by the C program, on any of its threads, by C
// code that Go called, or by Go as C.exit, in a Go program, too (but not in one with the race detector). A goroutine that
// calls C.exit stands still with every lock that it holds; when closing needs one of those, the timeout ends the wait.
//
// Nothing runs, as with any atexit handler, when the process ends otherwise:
//   - in Go: os.Exit, log.Fatal, the end of a Go main, a panic that nobody recovers;
//   - in C: _exit, _Exit, quick_exit, abort, and every signal that kills.
//
// In a process made by fork, exit closes nothing: Go doesn't run there, and what is open is the parent's.
//
// C wants exit to be called once, and not in a signal handler. When a second thread calls it while things are being closed,
// the process may end before they are; newer C libraries, such as glibc 2.41, make that thread wait.
//
// # What is closed already
//
// C has no way to take a handler back. What is registered stays so, in memory as well, and its Shutdown is called at exit
// even if the library has closed it before: it has to bear that, as zmqsafe.Context and http.Server do. A library that
// is started and stopped many times registers one value whose Shutdown closes what is open at the time.
//
// The package needs cgo and a POSIX system, and is tested on Linux with glibc. It uses only the standard library.
package cexit
