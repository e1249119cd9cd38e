package main

import (
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var slowDNS = hazard{
	Hazard:  explain.Hazards["slow-dns"],
	Raw:     func() error { return withSilentResolver(slowDNSRaw) },
	Guarded: func() error { return withSilentResolver(slowDNSGuarded) },
}

func slowDNSRaw(lookUpBegun func() error) error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	return slowDNSProgram(ctx, lookUpBegun)
}

func slowDNSGuarded(lookUpBegun func() error) error {
	ctx, err := zmqsafe.NewContextWith(zmqsafe.WithCloseTimeout(time.Second))
	if err != nil {
		return err
	}
	return wantTimeout(slowDNSProgram(ctx, lookUpBegun))
}

func slowDNSProgram[S socket](ctx contextOf[S], lookUpBegun func() error) error {
	sock, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := sock.SetLinger(0); err != nil {
		return err
	}
	if err := sock.Connect("tcp://collector.metrics:5555"); err != nil {
		return err
	}
	if err := lookUpBegun(); err != nil {
		return err
	}
	if err := sock.Close(); err != nil {
		return err
	}
	return ctx.Term()
}
