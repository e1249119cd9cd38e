package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

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
	if err := pull.SetRcvbuf(kernelBuffer); err != nil {
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
		// What has arrived would be lost: go on until there is nothing more.
		if err := pull.SetRcvtimeo(2 * quiet); err != nil {
			return err
		}
		rest, cancel := context.WithTimeout(context.Background(), 2*bound)
		defer cancel()
		err := receive(rest)
		if rest.Err() != nil {
			slog.Warn("services: told to stop, but the broker goes on: what it has sent since is lost")
			return nil
		}
		if zmqsafe.AsErrno(err) == zmqsafe.Errno(syscall.EAGAIN) { // nothing has come for that long
			return nil
		}
		return err
	})
}
