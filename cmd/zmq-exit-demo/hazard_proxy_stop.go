package main

import (
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var proxyStop = hazard{
	ID:    "proxy-stop",
	Title: "the sockets of a busy proxy are closed, then their context",
	Raw:   proxyStopRaw, Guarded: proxyStopGuarded,
	Explain: `In libzmq
  1. zmq_proxy (proxy.cpp) keeps bare pointers to its sockets. It waits for them in
     zmq_poll (zmq.cpp) and moves messages with socket_base_t::recv and
     socket_base_t::send, and it ends when one of these fails. Closing a socket in
     another thread is no way to make them fail; terminating the context is.
  2. zmq_close, in socket_base_t::close (socket_base.cpp), marks the socket as dead and
     gives it to the reaper thread, while the proxy's thread is inside it. From now on
     this is the hazard close-while-recv.
  3. With luck the proxy is in zmq_poll, sees the mark when it looks at the socket
     next, and returns ENOTSOCK. Without, two threads read one mailbox: the proxy
     finds its descriptor closed ("pfd.revents & POLLIN" fails in signaler_t::wait,
     signaler.cpp), or walks through freed pipes (SIGSEGV), or it has eaten what the
     reaper was waiting for, and zmq_ctx_term never returns.
  4. zmq_close throws away what is unread. So these programs, to lose nothing, close
     the backend first, wait until zmq_proxy has returned, read what is left in the
     frontend, and close that. Programs that close the frontend first lose its
     queue, and the senders' own: thousands of messages that zmq_send had accepted.

What the guard does
  Proxy runs in Go and holds the locks of its sockets for a burst of messages at
  most. Close comes between two bursts and ends it, with ErrorSocketClosed. What was
  moved is sent within the linger. A message that the proxy had taken and not sent
  goes back to the front of the frontend's queue. So a program that closes the
  backend first can read, or forward by hand, all that is left, and lose nothing.
`,
}

func proxyStopRaw() error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	frontend, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	if err := frontend.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	in, err := frontend.GetLastEndpoint()
	if err != nil {
		return err
	}
	backend, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := backend.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	out, err := backend.GetLastEndpoint()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- zmq4.Proxy(frontend, backend, nil) }()
	peers, err := startTraffic(in, out)
	if err != nil {
		return err
	}

	peers.stopSending()
	if err := backend.Close(); err != nil {
		return err
	}
	<-ended
	unread, err := readRest(frontend, peers)
	if err != nil {
		return err
	}
	if err := frontend.Close(); err != nil {
		return err
	}
	if err := ctx.Term(); err != nil {
		return err
	}
	return peers.account(unread)
}

func proxyStopGuarded() error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	frontend, err := ctx.NewSocket(zmqsafe.PULL)
	if err != nil {
		return err
	}
	if err := frontend.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	in, err := frontend.GetLastEndpoint()
	if err != nil {
		return err
	}
	backend, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := backend.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	out, err := backend.GetLastEndpoint()
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- zmqsafe.Proxy(frontend, backend, nil) }()
	peers, err := startTraffic(in, out)
	if err != nil {
		return err
	}

	peers.stopSending()
	if err := backend.Close(); err != nil {
		return err
	}
	<-ended
	unread, err := readRest(frontend, peers)
	if err != nil {
		return err
	}
	if err := frontend.Close(); err != nil {
		return err
	}
	if err := ctx.Term(); err != nil {
		return err
	}
	return peers.account(unread)
}

// pollable is a socket of either package.
type pollable interface {
	SetRcvtimeo(time.Duration) error
	RecvMessage(zmq4.Flag) ([]string, error)
}

// readRest counts the messages that the proxy has left.
func readRest(frontend pollable, peers *traffic) (n int, err error) {
	if err := frontend.SetRcvtimeo(silence); err != nil {
		return 0, err
	}
	err = receiveUntilSilent(peers.flushed, frontend.RecvMessage, func() { n++ })
	return n, err
}
