package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var proxyStop = hazard{
	Hazard:  explain.Hazards["proxy-stop"],
	Raw:     proxyStopRaw,
	Guarded: proxyStopGuarded,
}

func proxyStopRaw() error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	return proxyStopProgram(ctx, zmq4.Proxy)
}

func proxyStopGuarded() error {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	return proxyStopProgram(ctx, zmqsafe.Proxy)
}

func proxyStopProgram[S socket](ctx contextOf[S], proxy func(frontend, backend, capture S) error) error {
	frontend, in, err := bind(ctx.NewSocket(zmq4.PULL))
	if err != nil {
		return err
	}
	backend, out, err := bind(ctx.NewSocket(zmq4.PUSH))
	if err != nil {
		return err
	}
	var noCapture S
	ended := make(chan error, 1)
	go func() { ended <- proxy(frontend, backend, noCapture) }()
	peers, err := startTraffic(in, out)
	if err != nil {
		return err
	}

	peers.stopSending()
	if err := backend.Close(); err != nil {
		return err
	}
	<-ended

	unread := 0 // messages that the proxy has left
	if err := frontend.SetRcvtimeo(silence); err != nil {
		return err
	}
	if err := receiveUntilSilent(peers.flushed, frontend.RecvMessage, func() { unread++ }); err != nil {
		return err
	}
	if err := frontend.Close(); err != nil {
		return err
	}
	if err := ctx.Term(); err != nil {
		return err
	}
	return peers.account(unread)
}
