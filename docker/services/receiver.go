package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/shutdown"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func rawReceiver(at endpoints, c *counts) error {
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
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
	if err != nil {
		return err
	}
	if err := pull.Connect(at.in); err != nil {
		return err
	}
	receive := func(while context.Context) error {
		for message, err := range pull.Messages(while) {
			if err != nil {
				return err
			}
			if err := c.note(message[0]); err != nil {
				return err
			}
		}
		return nil
	}
	return g.Go("receiver", func(stopped context.Context) error {
		if err := receive(stopped); stopped.Err() == nil {
			return err
		}
		// What has arrived would be lost: go on until there is nothing more, which is no error, nor is the end of the time.
		if err := pull.SetRcvtimeo(quiet); err != nil {
			return err
		}
		rest, cancel := context.WithTimeout(context.Background(), bound)
		defer cancel()
		if err := receive(rest); zmqsafe.AsErrno(err) != zmqsafe.Errno(syscall.EAGAIN) && rest.Err() == nil {
			return err
		}
		return nil
	})
}

// A program that is told to stop goes on with what its peers send until nothing has come for quiet, and at most for bound.
const (
	quiet = 200 * time.Millisecond
	bound = time.Second
)
