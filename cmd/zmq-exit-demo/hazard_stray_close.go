package main

import (
	"os"
	"runtime"
	"syscall"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var strayClose = hazard{
	Hazard:  explain.Hazards["stray-close"],
	Raw:     func() error { return strayCloseProgram(zmq4.NewContext()) },
	Guarded: func() error { return strayCloseProgram(zmqsafe.NewContext()) },
}

func strayCloseProgram[S socket](ctx contextOf[S], err error) error {
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

// waitOnFile stands for code that waits for the socket in Go's own poller: it
// wraps the descriptor in a file, uses the file, and drops it.
func waitOnFile(fd int) {
	file := os.NewFile(uintptr(fd), "zmq-socket")
	file.SyscallConn()
}

// collectUntilClosed returns when the garbage collector has closed the file. In
// a real program that may be any later time.
func collectUntilClosed(fd int) {
	for {
		runtime.GC()
		var stat syscall.Stat_t
		if syscall.Fstat(fd, &stat) == syscall.EBADF {
			return
		}
	}
}
