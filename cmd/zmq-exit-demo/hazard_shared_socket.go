package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var sharedSocket = hazard{
	Hazard:  explain.Hazards["shared-socket"],
	Raw:     func() error { return sharedSocketProgram(zmq4.NewContext()) },
	Guarded: func() error { return sharedSocketProgram(zmqsafe.NewContext()) },
	Busy:    true,
}

const (
	sharers        = 4
	sendsPerSharer = 250_000
)

func sharedSocketProgram[S socket](ctx contextOf[S], err error) error {
	if err != nil {
		return err
	}
	pull, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	if err := pull.Bind("inproc://work"); err != nil {
		return err
	}
	push, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := push.Connect("inproc://work"); err != nil {
		return err
	}

	sent := make(chan error, sharers)
	for range sharers {
		go func() {
			for range sendsPerSharer {
				if _, err := push.Send("a message", 0); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
	}
	for range sharers * sendsPerSharer {
		if _, err := pull.Recv(0); err != nil {
			return err
		}
	}
	for range sharers {
		if err := <-sent; err != nil {
			return err
		}
	}

	push.Close()
	pull.Close()
	return ctx.Term()
}
