package main

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"syscall"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var blockedThreads = hazard{
	Hazard:  explain.Hazards["blocked-threads"],
	Raw:     func() error { return blockedThreadsProgram(zmq4.NewContext()) },
	Guarded: func() error { return blockedThreadsProgram(zmqsafe.NewContext()) },
	Busy:    true, // it takes a third of all threads that a small system may have
}

func blockedThreadsProgram[S socket](ctx contextOf[S], err error) error {
	if err != nil {
		return err
	}
	if err := checkDescriptors(); err != nil {
		return err
	}
	if err := ctx.SetMaxSockets(devices); err != nil {
		return err
	}
	var running sync.WaitGroup
	received := make(chan error, devices)
	for i := range devices {
		sock, err := ctx.NewSocket(zmq4.PULL)
		if err != nil {
			return err
		}
		if err := sock.Bind(fmt.Sprint("inproc://device-", i)); err != nil {
			return err
		}
		running.Add(1)
		go func() {
			defer sock.Close()
			running.Done()
			_, err := sock.Recv(0)
			received <- err
		}()
	}
	running.Wait()
	if err := checkThreads(); err != nil {
		return err
	}

	if err := ctx.Term(); err != nil {
		return err
	}
	for range devices {
		if err := <-received; err != zmq4.ETERM {
			return fmt.Errorf("want ETERM from Recv, got %v", err)
		}
	}
	return nil
}

// devices is how many goroutines wait: a few more than Go's limit of threads.
// See race.go.
var devices = 10_100

// checkDescriptors returns a skipError unless this process may have one
// descriptor for each socket. Go has raised the limit as far as it may.
func checkDescriptors() error {
	needed := devices + 100
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	if limit.Cur < uint64(needed) {
		return skipError{fmt.Sprintf("it needs %d file descriptors, and the limit is %d: raise the hard limit, as with ulimit -Hn %[1]d", needed, limit.Cur)}
	}
	return nil
}

// checkThreads returns an error if the process has more than some tens of
// threads.
func checkThreads() error {
	const most = 100
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`(?m)^Threads:\s+(\d+)$`).FindSubmatch(status)
	if m == nil {
		return errors.New("no line Threads in /proc/self/status")
	}
	if n, err := strconv.Atoi(string(m[1])); err != nil || n > most {
		return fmt.Errorf("want at most %d threads, got %s", most, m[1])
	}
	return nil
}
