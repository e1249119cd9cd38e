package main

import (
	"fmt"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var closeWhileRecv = hazard{
	Hazard:  explain.Hazards["close-while-recv"],
	Raw:     func() error { return closeWhileRecvProgram(zmq4.NewContext()) },
	Guarded: func() error { return closeWhileRecvProgram(zmqsafe.NewContext()) },
}

func closeWhileRecvProgram[S socket](ctx contextOf[S], err error) error {
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
