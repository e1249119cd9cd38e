package main

import (
	"os"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var exitAfterSend = hazard{
	Hazard:  explain.Hazards["exit-after-send"],
	Raw:     func() error { return countArrivals(sendAndEndRaw) },
	Guarded: func() error { return countArrivals(sendAndEndGuarded) },
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
	return sendAll(sock, endpoint)
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
	return sendAll(sock, endpoint)
}

func sendAll(sock socket, endpoint string) error {
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
	sock, endpoint, err := bind(ctx.NewSocket(zmq4.PULL))
	if err != nil {
		return err
	}
	defer sock.Close()
	sender, err := programAgain(peerVariable, endpoint)
	if err != nil {
		return err
	}
	if err := sender.Run(); err != nil {
		return err
	}

	// Everything that the sender has sent is in this process or in the kernel
	// now.
	return receiveAll(sock, sends, time.Second)
}
