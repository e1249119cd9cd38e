package main

import (
	"context"
	"errors"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/shutdown"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func rawBroker(stopped context.Context, ctx *zmq4.Context, at endpoints, _ *counts) error {
	frontend, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	defer frontend.Close()
	if err := frontend.Bind(at.in); err != nil {
		return err
	}
	backend, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	defer backend.Close()
	if err := backend.Bind(at.out); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- zmq4.Proxy(frontend, backend, nil) }()
	select {
	case err := <-ended:
		return err
	case <-stopped.Done():
		return nil
	}
}

func guardedBroker(g *shutdown.Group, at endpoints, c *counts) error {
	ctx, err := sendingContext(g)
	if err != nil {
		return err
	}
	frontend, errIn := ctx.NewSocket(zmqsafe.PULL)
	backend, errOut := ctx.NewSocket(zmqsafe.PUSH)
	if err := errors.Join(
		errIn, frontend.SetRcvbuf(kernelBuffer), frontend.Bind(at.in),
		errOut, backend.SetSndbuf(kernelBuffer), backend.Bind(at.out),
	); err != nil {
		return err
	}
	return g.Go("broker", func(stop context.Context) error {
		_, err := zmqsafe.ProxyDrain(stop, frontend, backend, nil, quiet, bound) // senders may be about to end, too
		c.noteBroker(ctx.Sockets())
		return err
	})
}

// A program that must stop goes on with what its peers send until nothing has
// arrived for quiet, and for bound at most. A receiver doubles both, since the
// broker may be stopping at the same time. Tests change them.
var (
	quiet = 200 * time.Millisecond
	bound = 700 * time.Millisecond
)
