package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var infiniteLinger = hazard{
	ID:    "infinite-linger",
	Title: "a message for a dead peer, with LINGER -1",
	Raw:   infiniteLingerRaw, Guarded: infiniteLingerGuarded,
	Explain: `In libzmq
  1. zmq_send puts the message into the pipe between the socket and its session
     (pipe.cpp), and returns. Nobody listens at the endpoint, so there it stays.
  2. zmq_close gives the socket to the reaper thread. session_base_t::process_term
     (session_base.cpp) leaves the pipe open until the message has been sent, and
     sets a timer for a positive LINGER only. -1, libzmq's default, means none.
  3. tcp_connecter_t (tcp_connecter.cpp) goes on reconnecting, and nothing else ever
     happens. zmq_ctx_term, in ctx_t::terminate (ctx.cpp), waits for the socket to
     go. It is too late to shorten the linger: the socket was closed, so
     zmq_setsockopt fails with ENOTSOCK.

What the guard does
  LINGER is 1 s unless the program asks for something else. This one asks for -1 and
  gets it, but the deadline of the context wins: zmq_close of a PUSH with a linger longer
  than that waits for a second, and when the context is closed meanwhile, the linger is
  cut to the time that is left. So Term ends at its deadline, nothing is left behind,
  and its error names the socket, its endpoint, and the line that made it.
`,
}

func infiniteLingerRaw() error {
	endpoint, err := closedPort()
	if err != nil {
		return err
	}
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := sock.SetLinger(-1); err != nil {
		return err
	}
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	if _, err := sock.Send("a message", 0); err != nil {
		return err
	}
	if err := sock.Close(); err != nil {
		return err
	}
	return ctx.Term()
}

func infiniteLingerGuarded() error {
	endpoint, err := closedPort()
	if err != nil {
		return err
	}
	ctx, err := zmqsafe.NewContext(zmqsafe.WithCloseTimeout(time.Second))
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := sock.SetLinger(-1); err != nil {
		return err
	}
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	if _, err := sock.Send("a message", 0); err != nil {
		return err
	}
	if err := sock.Close(); err != nil {
		return err
	}
	if err := ctx.Term(); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("want Term to give up at the deadline, got %v", err)
	}
	return nil
}
