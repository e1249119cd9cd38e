package main

import (
	"os"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var exitAfterSend = hazard{
	ID:    "exit-after-send",
	Title: "100 sends to a live peer, then the program ends",
	Raw:   func() error { return countArrivals(sendAndEndRaw) },
	Guarded: func() error {
		return countArrivals(sendAndEndGuarded)
	},
	Explain: `In libzmq
  1. zmq_connect and zmq_send only leave work for an I/O thread: to connect
     (tcp_connecter.cpp), to shake hands (zmtp_engine.cpp), and to write the messages
     to the kernel (stream_engine_base_t::out_event, stream_engine_base.cpp).
  2. zmq_close waits for none of that. socket_base_t::close (socket_base.cpp) tells
     the reaper thread, and returns. LINGER says for how long libzmq's threads may
     go on sending, not for how long zmq_close waits.
  3. main returns, and Go ends the process with exit_group. The I/O thread is gone
     before it has connected, and the messages with it.
  4. Only zmq_ctx_term, in ctx_t::terminate (ctx.cpp), waits until the closed sockets
     have got rid of what they hold, or their LINGER has run out.

What the guard does
  Context.Close gives each open socket its LINGER (1 s by default), closes it, and
  waits for zmq_ctx_term, within the close timeout. What it can't know is whether
  the peer made anything of the messages.
`,
}

const sends = 100

func sendAndEndRaw(endpoint string) error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	for range sends {
		if _, err := sock.Send("a message", 0); err != nil {
			return err
		}
	}
	return nil
}

func sendAndEndGuarded(endpoint string) error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Close() // the fix
	sock, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	for range sends {
		if _, err := sock.Send("a message", 0); err != nil {
			return err
		}
	}
	return nil
}

// peerVariable holds, in the sender's environment, the endpoint to send to.
const peerVariable = "ZMQ_EXIT_DEMO_PEER"

// countArrivals is the live peer. It starts the sender as a process of its own,
// so that the end of the program is a real one, and counts what arrives.
func countArrivals(sendAndEnd func(endpoint string) error) error {
	if endpoint := os.Getenv(peerVariable); endpoint != "" {
		return sendAndEnd(endpoint)
	}

	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	sock, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	endpoint, err := sock.GetLastEndpoint()
	if err != nil {
		return err
	}

	sender, err := programAgain(peerVariable, endpoint)
	if err != nil {
		return err
	}
	if err := sender.Run(); err != nil {
		return err
	}

	// Everything the sender got rid of is in this process or in the kernel now.
	if err := sock.SetRcvtimeo(time.Second); err != nil {
		return err
	}
	arrived := 0
	for arrived < sends {
		_, err := sock.Recv(0)
		if zmq4.AsErrno(err) == zmq4.Errno(syscall.EAGAIN) {
			return lostError{lost: sends - arrived, of: sends}
		}
		if err != nil {
			return err
		}
		arrived++
	}
	return nil
}
