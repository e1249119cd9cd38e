package main

import (
	"runtime"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var droppedContext = hazard{
	ID:    "dropped-context",
	Title: "a context goes out of scope with an unsent message",
	Raw:   func() error { return liveOn(droppedContextRaw) },
	Guarded: func() error {
		return liveOn(droppedContextGuarded)
	},
	Explain: `In libzmq
  1. A function makes a context and a socket, sends a message to a peer that isn't
     there, and returns. Nothing refers to either any more. libzmq knows nothing of
     that: its I/O thread goes on reconnecting (tcp_connecter.cpp), with the message
     in the pipe of the session (pipe.cpp).
  2. pebbe/zmq4 sets finalizers. The garbage collector finds the socket first, and
     its finalizer calls zmq_close. LINGER is at libzmq's default of -1, so
     session_base_t::process_term (session_base.cpp) sets no timer, and the message
     keeps the socket alive.
  3. The next collection finds the context. Its finalizer calls zmq_ctx_term, and
     ctx_t::terminate (ctx.cpp) waits in _term_mailbox.recv for the reaper thread,
     which waits for the socket. The wait has no limit.
  4. Go runs all finalizers of a process one after another on one goroutine
     (runtime.runFinalizers, mfinal.go). It is inside zmq_ctx_term now, and no other
     finalizer ever runs: lost files stay open, and what only a finalizer frees is
     never freed. The program doesn't crash, it fills up.

What the guard does
  It takes pebbe's finalizers off. A handle that is lost is reported with the line
  that made it, and what it stood for is closed as by Context.Close, on a goroutine
  of its own: LINGER is 1 s, and zmq_ctx_term is waited for with a bound. The message
  is lost all the same, for there was nobody to take it. Close what you make.
`,
}

func droppedContextRaw(endpoint string) error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	_, err = sock.Send("a message", 0)
	return err
}

func droppedContextGuarded(endpoint string) error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	_, err = sock.Send("a message", 0)
	return err
}

// liveOn is the rest of the program. It relies on finalizers, and returns when
// they have run, and when no descriptor of the lost context is open any more.
func liveOn(drop func(endpoint string) error) error {
	endpoint, err := closedPort()
	if err != nil {
		return err
	}
	atStart, err := openDescriptors()
	if err != nil {
		return err
	}
	if err := drop(endpoint); err != nil {
		return err
	}

	// More than one, since the context is found after its socket.
	for range 5 {
		collectUntilFinalized()
	}
	for {
		open, err := openDescriptors()
		if err != nil || len(open) <= len(atStart) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// collectUntilFinalized loses an object and returns when its finalizer has run.
func collectUntilFinalized() {
	finalized := make(chan struct{})
	runtime.SetFinalizer(new(string), func(*string) { close(finalized) })
	for {
		runtime.GC()
		select {
		case <-finalized:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}
