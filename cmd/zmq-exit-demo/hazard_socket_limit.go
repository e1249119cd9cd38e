package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var socketLimit = hazard{
	Hazard:  explain.Hazards["socket-limit"],
	Raw:     func() error { return socketLimitProgram(zmq4.NewContext()) },
	Guarded: func() error { return socketLimitProgram(zmqsafe.NewContext()) },
}

func socketLimitProgram[S socket](ctx contextOf[S], err error) error {
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
