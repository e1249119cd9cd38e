package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var socketLimit = hazard{
	ID:    "socket-limit",
	Title: "Term at the socket limit, while an inproc connect waits for its bind",
	Raw:   socketLimitRaw, Guarded: socketLimitGuarded,
	Explain: `In libzmq
  1. An inproc endpoint may be connected before it is bound. ctx_t::pend_connection
     (ctx.cpp) notes the connection and makes the connected socket wait for its
     other end. While it waits it can't be destroyed, not even after zmq_close,
     and goes on counting towards ZMQ_MAX_SOCKETS.
  2. zmq_ctx_term must resolve what is pending or it would hang. ctx_t::terminate
     (ctx.cpp) makes a PAIR socket for each such connection and binds it to the name.
  3. The context is at its limit, here 2, by default 1023. ctx_t::create_socket
     returns NULL, and ctx_t::terminate takes that for impossible: "s" fails, and
     the process is aborted.

What the guard does
  The context keeps room for one socket more than the program may have. With that
  socket it binds the names that are still pending, so zmq_ctx_term finds nothing to
  resolve. Sockets that wait for such a name go to zmq_close only after it is bound,
  also when the program has closed them before: binding it while libzmq destroys a
  connected socket is a crash of its own (ctx_t::connect_inproc_sockets). The
  program's own limit is kept exactly.
`,
}

func socketLimitRaw() error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	if err := ctx.SetMaxSockets(2); err != nil {
		return err
	}
	first, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := first.Connect("inproc://not-bound-yet"); err != nil {
		return err
	}
	second, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := second.Connect("inproc://not-bound-yet"); err != nil {
		return err
	}

	if err := first.Close(); err != nil {
		return err
	}
	if err := second.Close(); err != nil {
		return err
	}
	return ctx.Term()
}

func socketLimitGuarded() error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	if err := ctx.SetMaxSockets(2); err != nil {
		return err
	}
	first, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := first.Connect("inproc://not-bound-yet"); err != nil {
		return err
	}
	second, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := second.Connect("inproc://not-bound-yet"); err != nil {
		return err
	}

	if err := first.Close(); err != nil {
		return err
	}
	if err := second.Close(); err != nil {
		return err
	}
	return ctx.Term()
}
