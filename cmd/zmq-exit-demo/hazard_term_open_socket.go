package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var termOpenSocket = hazard{
	Hazard:  explain.Hazards["term-open-socket"],
	Raw:     func() error { return termOpenSocketProgram(zmq4.NewContext()) },
	Guarded: func() error { return termOpenSocketProgram(zmqsafe.NewContext()) },
}

func termOpenSocketProgram[S socket](ctx contextOf[S], err error) error {
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
