package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var sharedSocket = hazard{
	ID:    "shared-socket",
	Title: "four goroutines send on one socket",
	Raw:   sharedSocketRaw, Guarded: sharedSocketGuarded,
	Busy: true,
	Explain: `In libzmq
  1. A PUSH socket has no lock: only one thread may use it at a time. pebbe/zmq4 adds
     none, so four goroutines are four threads inside socket_base_t::send
     (socket_base.cpp) at once.
  2. They meet in lb_t::sendpipe (lb.cpp) and pipe_t::write (pipe.cpp), at a queue
     that works without locks because it has exactly one writer (ypipe.hpp,
     yqueue.hpp). Two writers fill the same slot, or free a chunk twice.
  3. The receiver finds a message that is none: "check ()" fails in msg_t::size
     (msg.cpp). Commands get mixed up likewise: "false" fails in
     object_t::process_command (object.cpp). Or malloc notices first, or a pointer
     leads nowhere: SIGSEGV.

What the guard does
  A socket's lock lets one goroutine in, for one message, and is never held while
  anything waits. The four goroutines take turns, and every message arrives.
`,
}

const (
	sharers        = 4
	sendsPerSharer = 250_000
)

func sharedSocketRaw() error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	pull, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	if err := pull.Bind("inproc://work"); err != nil {
		return err
	}
	push, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := push.Connect("inproc://work"); err != nil {
		return err
	}

	sent := make(chan error, sharers)
	for range sharers {
		go func() {
			for range sendsPerSharer {
				if _, err := push.Send("a message", 0); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
	}
	for range sharers * sendsPerSharer {
		if _, err := pull.Recv(0); err != nil {
			return err
		}
	}
	for range sharers {
		if err := <-sent; err != nil {
			return err
		}
	}

	push.Close()
	pull.Close()
	return ctx.Term()
}

func sharedSocketGuarded() error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	pull, err := ctx.NewSocket(zmqsafe.PULL)
	if err != nil {
		return err
	}
	if err := pull.Bind("inproc://work"); err != nil {
		return err
	}
	push, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := push.Connect("inproc://work"); err != nil {
		return err
	}

	sent := make(chan error, sharers)
	for range sharers {
		go func() {
			for range sendsPerSharer {
				if _, err := push.Send("a message", 0); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
	}
	for range sharers * sendsPerSharer {
		if _, err := pull.Recv(0); err != nil {
			return err
		}
	}
	for range sharers {
		if err := <-sent; err != nil {
			return err
		}
	}

	push.Close()
	pull.Close()
	return ctx.Term()
}
