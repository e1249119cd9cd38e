package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var infiniteLinger = hazard{
	Hazard: explain.Hazards["infinite-linger"],
	Raw:    func() error { return infiniteLingerProgram(zmq4.NewContext()) },
	Guarded: func() error {
		return wantTimeout(infiniteLingerProgram(zmqsafe.NewContextWith(zmqsafe.WithCloseTimeout(time.Second))))
	},
}

func infiniteLingerProgram[S socket](ctx contextOf[S], err error) error {
	if err != nil {
		return err
	}
	endpoint, err := closedPort()
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

// wantTimeout turns the error with which Term gives up into nil. A guarded
// program must get it if libzmq never lets go of a socket.
func wantTimeout(err error) error {
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("want Term to give up at the deadline, got %v", err)
	}
	return nil
}
