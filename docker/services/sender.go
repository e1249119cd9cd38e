package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/shutdown"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func rawSender(at endpoints, c *counts) error {
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	push, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	defer push.Close()
	if err := push.Connect(at.out); err != nil {
		return err
	}
	for stopped.Err() == nil {
		if _, err := push.SendBytes(c.next(), 0); err != nil {
			return err
		}
		c.accepted.Add(1)
	}
	return nil
}

// lingers is how long messages are offered to a peer that may not take them. Because it is said, and is less than the time
// that a stop has, what nobody has taken by then gives a warning, and not the exit status 124.
var lingers = linger.MustFor(time.Second)

// kernelBuffer bounds, in bytes, what each kernel holds of messages on their way, which is megabytes if nobody says otherwise:
// hundreds of thousands of messages, which a stop has to wait for, and which are lost if a peer dies. On a busy machine, 64 KiB
// a buffer was too much for a stop in 2 s.
const kernelBuffer = 16 << 10

func guardedSender(g *shutdown.Group, at endpoints, c *counts) error {
	ctx, err := zmqsafe.NewContext(zmqsafe.WithLinger(lingers))
	if err != nil {
		return err
	}
	if err := errors.Join(g.Add("tcp", shutdown.TCPLinger(time.Second)), g.Add("zmq", ctx)); err != nil {
		return err
	}
	push, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := push.SetSndbuf(kernelBuffer); err != nil {
		return err
	}
	if err := push.Connect(at.out); err != nil {
		return err
	}
	return g.Go("sender", func(stopped context.Context) error {
		for {
			if _, err := push.SendBytesContext(stopped, c.next(), 0); err != nil {
				return err
			}
			c.accepted.Add(1)
		}
	})
}
