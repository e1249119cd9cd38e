package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var termOpenSocket = hazard{
	ID:    "term-open-socket",
	Title: "a context is terminated while a socket is open",
	Raw:   termOpenSocketRaw, Guarded: termOpenSocketGuarded,
	Explain: `In libzmq
  1. zmq_ctx_term is ctx_t::terminate (ctx.cpp). It sends a stop command to every
     open socket and waits, without a limit, for the reaper thread to say "done".
  2. socket_base_t::process_stop (socket_base.cpp) only notes that further calls on
     the socket must fail with ETERM. Closing it remains the program's business.
  3. The reaper says "done" when ctx_t::destroy_socket has removed the last socket
     (reaper_t::process_reaped, reaper.cpp). Nobody closes this one, so
     zmq_ctx_term never returns.

What the guard does
  The context knows its sockets. Term refuses new ones, closes those that are
  open, newest first, and only then calls zmq_ctx_term, on a goroutine of its own.
  It waits for that no longer than the close timeout.
`,
}

func termOpenSocketRaw() error {
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
	return ctx.Term()
}

func termOpenSocketGuarded() error {
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
	return ctx.Term()
}
