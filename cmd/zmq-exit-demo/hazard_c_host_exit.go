package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

var cHostExit = hazard{
	ID:    "c-host-exit",
	Title: "a C program with a Go library calls exit, and its atexit handlers clean up",
	Raw:   cHostExitRaw, Guarded: cHostExitGuarded,
	Prepare: buildCHosts,
	Explain: `In libzmq
  1. The Go library has connected a socket and is never told that the program ends.
     libzmq's I/O thread goes on: nobody listens, so add_reconnect_timer
     (stream_connecter_base.cpp) schedules one attempt after the other. Only
     zmq_ctx_term (ctx.cpp) or the end of the process stops that.

In C and in Go
  2. A Go program leaves through exit_group, without C's atexit handlers. In a C
     program with a Go library (-buildmode=c-archive, c-shared), main returns or
     calls exit, and __run_exit_handlers (glibc's exit.c) calls the handlers, the
     newest first, then the destructors of all libraries. No deferred call of Go's
     runs, and the threads of Go and of libzmq go on all the while.
  3. One handler of the C program closes the descriptors that were opened since the
     library was loaded. libzmq's epoll descriptor is one of them. Its I/O thread is
     asleep in epoll_t::loop (epoll.cpp) and does not notice.
  4. The next handler takes its time, and the reconnect timer is due:
     poller_base_t::execute_timers (poller_base.cpp) calls
     tcp_connecter_t::start_connecting (tcp_connecter.cpp), and that calls
     epoll_t::add_fd (epoll.cpp). epoll_ctl fails with EBADF, and libzmq aborts the
     process: SIGABRT on a thread of libzmq's, while main's thread is inside exit.

What the guard does
  Where the library makes its context, it calls cexit.Register(ctx, 2*time.Second):
  an atexit handler of the library's own. Handlers run newest first, so this one runs
  before those that the C program registered earlier. It calls Context.Shutdown with a
  deadline: sockets are closed and the context is terminated before anybody sweeps.
  A handler that is registered later runs before it; so register late. Nothing of
  this runs in _exit, quick_exit, abort or Go's os.Exit, but then no sweep does.

The programs are testdata/c/host: host.c, and the library twice, raw and guarded.
`,
}

func cHostExitRaw() error {
	return becomeCHost(raw)
}

func cHostExitGuarded() error {
	return becomeCHost(guarded)
}

// becomeCHost replaces this process by one of the programs that buildCHosts made.
func becomeCHost(m mode) error {
	endpoint, err := closedPort()
	if err != nil {
		return err
	}
	dir := os.Getenv(preparedVariable)
	config := filepath.Join(dir, fmt.Sprintf("reports.%d.conf", os.Getpid()))
	if err := os.WriteFile(config, []byte(endpoint+"\n"), 0o600); err != nil {
		return err
	}
	program := filepath.Join(dir, string(m), "host")
	return &os.PathError{Op: "exec", Path: program, Err: syscall.Exec(program, []string{program, config}, os.Environ())}
}
