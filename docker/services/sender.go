package main

import (
	"context"
	"errors"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/shutdown"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func rawSender(stopped context.Context, ctx *zmq4.Context, at endpoints, c *counts) error {
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

// lingers is how long a closed socket offers messages to a peer that may not
// take them. Because it is set, and shorter than the stop, what nobody has
// taken causes a warning, and not the exit status 124.
var lingers = linger.MustFor(time.Second)

// kernelBuffer is how many bytes of messages each kernel may hold. The default
// is megabytes, hundreds of thousands of messages: a stop must wait for them,
// and they are lost if a peer dies. On a busy machine, 64 KiB per buffer was
// too much for a stop in 2 s.
const kernelBuffer = 16 << 10

// sendingContext returns a context that the group closes. As process 1 of the
// container, shutdown.Main then waits for the kernel to deliver the rest.
func sendingContext(g *shutdown.Group) (*zmqsafe.Context, error) {
	ctx, err := zmqsafe.NewContextWith(zmqsafe.WithLinger(lingers))
	if err != nil {
		return nil, err
	}
	return ctx, g.Add("zmq", ctx)
}

func guardedSender(g *shutdown.Group, at endpoints, c *counts) error {
	ctx, err := sendingContext(g)
	if err != nil {
		return err
	}
	push, err := ctx.NewSocket(zmqsafe.PUSH)
	if err := errors.Join(err, push.SetSndbuf(kernelBuffer), push.Connect(at.out)); err != nil {
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
