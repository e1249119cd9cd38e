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

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var blockedThreads = hazard{
	ID:    "blocked-threads",
	Title: "thousands of goroutines wait, each in a receive of its own",
	Raw:   func() error { return withDescriptors(blockedThreadsRaw) },
	Guarded: func() error {
		return withDescriptors(blockedThreadsGuarded)
	},
	Busy: true, // it takes a third of all threads that a small system may have
	Explain: `In libzmq
  1. A gateway has a socket for each device, and a goroutine that receives from it. With
     nothing to receive, socket_base_t::recv (socket_base.cpp) waits for a command in
     mailbox_t::recv (mailbox.cpp), and that sleeps in poll, in signaler_t::wait
     (signaler.cpp).
  2. Go sees a call into C that doesn't return. The OS thread is taken until it does, and
     for the other goroutines Go starts another one (runtime.startm, proc.go). So each
     goroutine in zmq_msg_recv is a thread.
  3. At 10,001 threads runtime.checkmcount (proc.go) ends the process, with "program
     exceeds 10000-thread limit". A container's limit of processes, or ulimit -u, may
     come first: "runtime/cgo: pthread_create failed", and SIGABRT.
  4. Neither can be caught. Nothing deferred runs, no signal handler does, and what is
     queued in any socket is lost. debug.SetMaxThreads moves the first limit, at the
     price of memory: 250 MB resident here, where the guarded program takes 140.

What the guard does
  A receive waits in Go. One epoll descriptor and one goroutine look after all sockets
  of the context and wake who has something to do: 9 threads for these 10,100
  goroutines. Term closes every socket, and each receive returns ETERM.
`,
}

func blockedThreadsRaw() error {
	ctx, err := zmq4.NewContext()
	if err != nil {
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

func blockedThreadsGuarded() error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	if err := ctx.SetMaxSockets(devices); err != nil {
		return err
	}
	var running sync.WaitGroup
	received := make(chan error, devices)
	for i := range devices {
		sock, err := ctx.NewSocket(zmqsafe.PULL)
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
		if err := <-received; err != zmqsafe.ETERM {
			return fmt.Errorf("want ETERM from Recv, got %v", err)
		}
	}
	return nil
}

// devices is how many goroutines wait: a few more than Go's limit of threads, or
// what the race detector can follow, which is 8,128.
var devices = map[bool]int{false: 10_100, true: 5_000}[raceDetector]

// withDescriptors runs program if this process may have one descriptor for each
// socket. Go has raised the limit to what it is allowed to.
func withDescriptors(program func() error) error {
	needed := devices + 100
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	if limit.Cur < uint64(needed) {
		return skipError{fmt.Sprintf("it needs %d file descriptors, and the limit is %d: raise the hard limit, as with ulimit -Hn %[1]d", needed, limit.Cur)}
	}
	return program()
}

// checkThreads returns an error if the process has more than some tens of threads.
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
