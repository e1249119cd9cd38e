package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var slowDNS = hazard{
	ID:    "slow-dns",
	Title: "the program ends while a host name is looked up that nobody resolves",
	Raw:   func() error { return withSilentResolver(slowDNSRaw) },
	Guarded: func() error {
		return withSilentResolver(slowDNSGuarded)
	},
	Explain: `In libzmq
  1. zmq_connect doesn't look host names up. It leaves that to the I/O thread:
     tcp_connecter_t::open (tcp_connecter.cpp) calls tcp_address_t::resolve
     (tcp_address.cpp), and that calls getaddrinfo, in ip_resolver_t::do_getaddrinfo
     (ip_resolver.cpp).
  2. The name server doesn't answer. glibc waits for 5 s, and tries twice. With search
     domains, as in a pod of Kubernetes, it does that for two forms of the name: 20 s.
     All of it takes place inside one call.
  3. zmq_close sends commands to that thread. They stay in its mailbox, for the look-up
     is called from io_thread_t::in_event (io_thread.cpp), the function that reads it.
     By default this one thread serves all sockets of the context.
  4. zmq_ctx_term, in ctx_t::terminate (ctx.cpp), waits for the socket to go, so it
     waits for the name server. LINGER is about messages, and 0 changes nothing here.

What the guard does
  It can't end the look-up, since C has no way to interrupt it. But zmq_ctx_term runs on
  a goroutine of its own. Half-way to the close timeout a warning names the socket that
  libzmq still has, the line that made it, and the host name that may be looked up.
  At the timeout Term gives up and returns an error that says the same, and wraps
  context.DeadlineExceeded. main returns, and Go ends the process without waiting for
  libzmq's threads. What waits behind the look-up for other peers is lost then:
  connect to addresses where that matters.
`,
}

func slowDNSRaw(lookUpBegun func() error) error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := sock.SetLinger(0); err != nil {
		return err
	}
	if err := sock.Connect("tcp://collector.metrics:5555"); err != nil {
		return err
	}
	if err := lookUpBegun(); err != nil {
		return err
	}
	if err := sock.Close(); err != nil {
		return err
	}
	return ctx.Term()
}

func slowDNSGuarded(lookUpBegun func() error) error {
	ctx, err := zmqsafe.NewContext(zmqsafe.WithCloseTimeout(time.Second))
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := sock.SetLinger(0); err != nil {
		return err
	}
	if err := sock.Connect("tcp://collector.metrics:5555"); err != nil {
		return err
	}
	if err := lookUpBegun(); err != nil {
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
