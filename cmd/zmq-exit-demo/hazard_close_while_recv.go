package main

import (
	"fmt"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var closeWhileRecv = hazard{
	ID:    "close-while-recv",
	Title: "a socket is closed while a goroutine is receiving from it",
	Raw:   closeWhileRecvRaw, Guarded: closeWhileRecvGuarded,
	Explain: `In libzmq
  1. A socket has one mailbox (mailbox.cpp), for commands from libzmq's own threads,
     and one thread at a time may read it. The goroutine inside zmq_msg_recv does:
     socket_base_t::recv (socket_base.cpp) sleeps in poll, in signaler_t::wait
     (signaler.cpp).
  2. zmq_close, called by another thread, checks nothing of the kind. It gives the
     socket to the reaper thread, and socket_base_t::start_reaping makes that a
     second reader of the same mailbox.
  3. The socket's listener and pipes acknowledge their end in that mailbox. Which of
     the two readers takes the acknowledgement is luck.
  4. Either may go wrong. The receiver takes it, and the two threads count the same
     acknowledgements: "_term_acks > 0" fails in own_t::unregister_term_ack (own.cpp).
     The reaper takes it, and destroys the socket with its mailbox. The receiver's
     poll was woken too. It finds a closed descriptor, and signaler_t::wait fails on
     "pfd.revents & POLLIN"; or it looks just before, and sleeps for ever.

What the guard does
  No receive sleeps inside libzmq. The goroutine waits in Go, and each attempt to
  receive holds the socket's lock. Close marks the socket, which wakes every waiter
  with ErrorSocketClosed, takes the lock, and then calls zmq_close: there is no one
  left inside.
`,
}

func closeWhileRecvRaw() error {
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
	received := make(chan error, 1)
	go func() {
		_, err := sock.Recv(0)
		received <- err
	}()
	time.Sleep(settle)

	if err := sock.Close(); err != nil {
		return err
	}
	if err := <-received; err != zmq4.ErrorSocketClosed {
		return fmt.Errorf("want ErrorSocketClosed from Recv, got %v", err)
	}
	return ctx.Term()
}

func closeWhileRecvGuarded() error {
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
	received := make(chan error, 1)
	go func() {
		_, err := sock.Recv(0)
		received <- err
	}()
	time.Sleep(settle)

	if err := sock.Close(); err != nil {
		return err
	}
	if err := <-received; err != zmqsafe.ErrorSocketClosed {
		return fmt.Errorf("want ErrorSocketClosed from Recv, got %v", err)
	}
	return ctx.Term()
}
