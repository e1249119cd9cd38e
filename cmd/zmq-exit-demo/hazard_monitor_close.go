package main

import (
	"fmt"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var monitorClose = hazard{
	Hazard:  explain.Hazards["monitor-close"],
	Raw:     func() error { return monitorCloseProgram(zmq4.NewContext()) },
	Guarded: func() error { return monitorCloseProgram(zmqsafe.NewContext()) },
}

func monitorCloseProgram[S socket](ctx contextOf[S], err error) error {
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	if err := sock.Monitor("inproc://monitor", zmq4.EVENT_ALL); err != nil {
		return err
	}
	reader, err := ctx.NewSocket(zmq4.PAIR)
	if err != nil {
		return err
	}
	if err := reader.Connect("inproc://monitor"); err != nil {
		return err
	}
	listening := make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		for {
			event, _, _, err := reader.RecvEvent(0)
			if err != nil {
				ended <- err
				return
			}
			if event == zmq4.EVENT_LISTENING {
				close(listening)
			}
		}
	}()
	if err := sock.Bind("tcp://127.0.0.1:*"); err != nil {
		return err
	}
	<-listening

	if err := sock.Close(); err != nil {
		return err
	}
	if err := reader.Close(); err != nil {
		return err
	}
	if err := <-ended; err != zmq4.ErrorSocketClosed {
		return fmt.Errorf("want ErrorSocketClosed from RecvEvent, got %v", err)
	}
	return ctx.Term()
}
