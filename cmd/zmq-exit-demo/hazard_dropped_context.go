package main

import (
	"runtime"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var droppedContext = hazard{
	Hazard:  explain.Hazards["dropped-context"],
	Raw:     func() error { return liveOn(func() error { return droppedContextProgram(zmq4.NewContext()) }) },
	Guarded: func() error { return liveOn(func() error { return droppedContextProgram(zmqsafe.NewContext()) }) },
}

func droppedContextProgram[S socket](ctx contextOf[S], err error) error {
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
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	_, err = sock.Send("a message", 0)
	return err
}

// liveOn is the rest of the program. It relies on finalizers, and returns when
// they have run and no descriptor of the lost context is open any more.
func liveOn(drop func() error) error {
	atStart, err := openDescriptors()
	if err != nil {
		return err
	}
	if err := drop(); err != nil {
		return err
	}

	// More than one: the collector finds the context after its socket.
	for range 5 {
		collectUntilFinalized()
	}
	for {
		open, err := openDescriptors()
		if err != nil || len(open) <= len(atStart) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// collectUntilFinalized loses an object and returns when its finalizer has run.
func collectUntilFinalized() {
	finalized := make(chan struct{})
	runtime.SetFinalizer(new(string), func(*string) { close(finalized) })
	for {
		runtime.GC()
		select {
		case <-finalized:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}
