package main

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var fdSweep = hazard{
	Hazard:  explain.Hazards["fd-sweep"],
	Raw:     fdSweepRaw,
	Guarded: fdSweepGuarded,
}

func fdSweepRaw() error {
	atStart, err := openDescriptors()
	if err != nil {
		return err
	}

	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	sock, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := keepConnecting(sock); err != nil {
		return err
	}

	if err := closeDescriptorsExcept(atStart); err != nil {
		return err
	}
	time.Sleep(restOfCleanUp)
	return nil
}

func fdSweepGuarded() error {
	atStart, err := openDescriptors()
	if err != nil {
		return err
	}

	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	sock, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := keepConnecting(sock); err != nil {
		return err
	}

	if err := ctx.Close(); err != nil { // the fix
		return err
	}
	if err := closeDescriptorsExcept(atStart); err != nil {
		return err
	}
	time.Sleep(restOfCleanUp)
	return nil
}

// keepConnecting has a socket connect to a closed port, again and again.
func keepConnecting(sock socket) error {
	endpoint, err := closedPort()
	if err != nil {
		return err
	}
	if err := sock.SetReconnectIvl(300 * time.Millisecond); err != nil {
		return err
	}
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	time.Sleep(betweenAttempts)
	return nil
}

// betweenAttempts is how long after the connect the sweep comes. Even on a busy
// machine the first attempt has been refused then, and the second, 300 to 600
// ms after it, isn't due yet.
const betweenAttempts = 100 * time.Millisecond

// restOfCleanUp stands for whatever else a program does on its way out. It is
// long enough for the reconnect timer.
const restOfCleanUp = time.Second

// openDescriptors returns the descriptors that are open now. It makes Go's
// netpoller open its own before: to close those later would be another crash.
func openDescriptors() (map[int]bool, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	r.Close()
	w.Close()

	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	open := make(map[int]bool)
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil {
			open[fd] = true
		}
	}
	return open, nil
}

func closeDescriptorsExcept(keep map[int]bool) error {
	open, err := openDescriptors()
	if err != nil {
		return err
	}
	for fd := range open {
		if !keep[fd] {
			syscall.Close(fd) // EBADF for the one that listed the directory
		}
	}
	return nil
}
