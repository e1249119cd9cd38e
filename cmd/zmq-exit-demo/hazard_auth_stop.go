package main

import (
	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var authStop = hazard{
	Hazard:  explain.Hazards["auth-stop"],
	Raw:     authStopRaw,
	Guarded: authStopGuarded,
}

func authStopRaw() error {
	if err := zmq4.AuthStart(); err != nil {
		return err
	}
	zmq4.AuthPlainAdd("office", "user", "password")
	server, err := zmq4.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	client, err := zmq4.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	if err := sendWithPassword(client, server); err != nil {
		return err
	}
	return zmq4.Term()
}

func authStopGuarded() error {
	if err := zmqsafe.AuthStart(); err != nil {
		return err
	}
	zmqsafe.AuthPlainAdd("office", "user", "password")
	server, err := zmqsafe.NewSocket(zmqsafe.PULL)
	if err != nil {
		return err
	}
	client, err := zmqsafe.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	if err := sendWithPassword(client, server); err != nil {
		return err
	}
	return zmqsafe.Term()
}

// sendWithPassword uses the sockets and closes them.
func sendWithPassword(client, server socket) error {
	if err := server.ServerAuthPlain("office"); err != nil {
		return err
	}
	_, endpoint, err := bind(server, nil)
	if err != nil {
		return err
	}
	if err := client.ClientAuthPlain("user", "password"); err != nil {
		return err
	}
	if err := client.Connect(endpoint); err != nil {
		return err
	}
	if _, err := client.Send("a message", 0); err != nil {
		return err
	}
	if _, err := server.Recv(0); err != nil {
		return err
	}

	if err := client.Close(); err != nil {
		return err
	}
	return server.Close()
}
