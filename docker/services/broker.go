package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/shutdown"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func rawBroker(at endpoints, _ *counts) error {
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
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
	ctx, err := zmqsafe.NewContext(zmqsafe.WithLinger(lingers))
	if err != nil {
		return err
	}
	if err := errors.Join(g.Add("tcp", shutdown.TCPLinger(time.Second)), g.Add("zmq", ctx)); err != nil {
		return err
	}
	frontend, err := ctx.NewSocket(zmqsafe.PULL)
	if err != nil {
		return err
	}
	if err := frontend.SetRcvbuf(kernelBuffer); err != nil {
		return err
	}
	if err := frontend.Bind(at.in); err != nil {
		return err
	}
	backend, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := backend.SetSndbuf(kernelBuffer); err != nil {
		return err
	}
	if err := backend.Bind(at.out); err != nil {
		return err
	}
	return g.Go("broker", func(stopped context.Context) error {
		if err := zmqsafe.ProxyContext(stopped, frontend, backend, nil); stopped.Err() == nil {
			return err
		}
		err := errors.Join(
			forwardRest(frontend, backend), // senders may be about to end, too
			frontend.Unbind(at.in),         // ends their connections, so what comes to the queue comes to an end
			forwardRest(frontend, backend),
		)
		c.noteBroker(ctx.Sockets())
		return err
	})
}

// A program that is told to stop goes on with what its peers send until nothing has come for quiet, and at most for bound. A
// receiver takes twice as long for either, since the broker may have been told to stop at the same time.
const (
	quiet = 200 * time.Millisecond
	bound = 700 * time.Millisecond
)

// forwardRest lets the proxy go on until nothing has come to the frontend for quiet, and at most for bound. What the backend
// has no room for stays unread.
func forwardRest(frontend, backend *zmqsafe.Socket) error {
	arrivals := zmqsafe.NewPoller()
	arrivals.Add(frontend, zmqsafe.POLLIN)
	for began := time.Now(); time.Since(began) < bound; {
		if arrived, err := arrivals.Poll(quiet); len(arrived) == 0 || err != nil {
			return err
		}
		burst, cancel := context.WithTimeout(context.Background(), quiet/4)
		err := zmqsafe.ProxyContext(burst, frontend, backend, nil)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
	slog.Warn("services: told to stop, but senders go on, or nobody takes what they have sent: the rest is lost")
	return nil
}
