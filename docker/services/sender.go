package main

import (
	"context"
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

// sendBuffer bounds, in bytes, what the kernel holds of messages that have left the program: the network of a container ends
// with it, and what is still in the kernel then is lost. The kernel's own limit is megabytes.
const sendBuffer = 64 << 10

func guardedSender(g *shutdown.Group, at endpoints, c *counts) error {
	ctx, err := zmqsafe.NewContext(zmqsafe.WithLinger(lingers))
	if err != nil {
		return err
	}
	if err := g.Add("zmq", ctx); err != nil {
		return err
	}
	push, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := push.SetSndbuf(sendBuffer); err != nil {
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
