package main

import (
	"os"
	"runtime"
	"syscall"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var strayClose = hazard{
	ID:    "stray-close",
	Title: "os.NewFile over GetFd, collected by the garbage collector",
	Raw:   strayCloseRaw, Guarded: strayCloseGuarded,
	Explain: `In libzmq
  1. zmq_getsockopt with ZMQ_FD (socket_base_t::getsockopt, socket_base.cpp) gives
     out the descriptor of the socket's own mailbox, not a copy of it.
  2. os.NewFile makes a Go file of that number. An *os.File owns its descriptor:
     when nothing refers to the file any more, the garbage collector closes it, and
     so closes the mailbox (mailbox.cpp, signaler.cpp) under the socket.
  3. zmq_close leaves the socket to the reaper thread. Its
     socket_base_t::start_reaping registers the mailbox's descriptor with the
     reaper's poller, through epoll_t::add_fd (epoll.cpp).
  4. epoll_ctl fails with EBADF, and errno_assert aborts the process. If the
     number has been given to another file by then, that file is polled instead,
     and the socket is never told that anything happened.

What the guard does
  GetFd gives out a duplicate. Closing it, by hand or by the garbage collector,
  closes nothing of libzmq's.
`,
}

func strayCloseRaw() error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	if err := sock.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	fd, err := sock.GetFd()
	if err != nil {
		return err
	}

	waitOnFile(fd)
	collectUntilClosed(fd)

	if err := sock.Close(); err != nil {
		return err
	}
	return ctx.Term()
}

func strayCloseGuarded() error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmqsafe.PULL)
	if err != nil {
		return err
	}
	if err := sock.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	fd, err := sock.GetFd()
	if err != nil {
		return err
	}

	waitOnFile(fd)
	collectUntilClosed(fd)

	if err := sock.Close(); err != nil {
		return err
	}
	return ctx.Term()
}

// waitOnFile stands for the code that wants to wait for the socket in Go's own
// poller: it wraps the descriptor, uses the file, and lets go of it.
func waitOnFile(fd int) {
	file := os.NewFile(uintptr(fd), "zmq-socket")
	file.SyscallConn()
}

// collectUntilClosed returns when the garbage collector has closed the file. In
// a real program that is any later time.
func collectUntilClosed(fd int) {
	for {
		runtime.GC()
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == syscall.EBADF {
			return
		}
	}
}
