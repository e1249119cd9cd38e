package main

import (
	"context"
	"errors"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/shutdown"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func rawReceiver(stopped context.Context, ctx *zmq4.Context, at endpoints, c *counts) error {
	pull, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	defer pull.Close()
	if err := pull.Connect(at.in); err != nil {
		return err
	}
	for stopped.Err() == nil {
		message, err := pull.RecvBytes(0)
		if err != nil {
			return err
		}
		if err := c.note(message); err != nil {
			return err
		}
	}
	return nil
}

func guardedReceiver(g *shutdown.Group, at endpoints, c *counts) error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	if err := g.Add("zmq", ctx); err != nil {
		return err
	}
	pull, err := ctx.NewSocket(zmqsafe.PULL)
	// When all are stopped it outlives the broker, and nobody can end libzmq's
	// look-up of a host that is gone. So it has ended before that begins.
	const reconnect = time.Second
	if err := errors.Join(err, pull.SetRcvbuf(kernelBuffer), pull.SetReconnectIvl(reconnect), pull.Connect(at.in)); err != nil {
		return err
	}
	return g.Go("receiver", func(stop context.Context) error {
		for message, err := range pull.Drain(stop, 2*quiet, 2*bound) {
			if err != nil {
				return err
			}
			if err := c.note(message[0]); err != nil {
				return err
			}
		}
		return nil
	})
}
