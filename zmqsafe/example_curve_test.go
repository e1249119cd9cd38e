package zmqsafe_test

import (
	"errors"
	"fmt"

	"github.com/pebbe/zmq4"

	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// An encrypted connection, with a server that lets in only clients it knows.
func ExampleAuthStart() {
	if err := curve(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// received: Hello
	// from: alice
}

func curve() error {
	defer zmq.Term() // closes the sockets, and then what AuthStart began

	// In real life each side makes its pair once, and gives away the public key.
	serverPublic, serverSecret, err := zmq4.NewCurveKeypair()
	if err != nil {
		return err
	}
	alicePublic, aliceSecret, err := zmq4.NewCurveKeypair()
	if err != nil {
		return err
	}

	// Who may connect. Before Bind: what comes earlier than AuthStart is let in.
	if err := zmq.AuthStart(); err != nil {
		return err
	}
	zmq.AuthAllow("shop", "127.0.0.1")
	zmq.AuthCurveAdd("shop", alicePublic)

	server, err := zmq.NewSocket(zmq.PULL)
	if err != nil {
		return err
	}
	err = errors.Join(
		server.ServerAuthCurve("shop", serverSecret),
		server.Bind("tcp://127.0.0.1:*"),
	)
	if err != nil {
		return err
	}
	endpoint, err := server.GetLastEndpoint()
	if err != nil {
		return err
	}

	client, err := zmq.NewSocket(zmq.PUSH)
	if err != nil {
		return err
	}
	err = errors.Join(
		client.ClientAuthCurve(serverPublic, alicePublic, aliceSecret),
		client.Connect(endpoint),
	)
	if err != nil {
		return err
	}
	if _, err := client.Send("Hello", 0); err != nil {
		return err
	}

	message, err := server.Recv(0)
	if err != nil {
		return err
	}
	fmt.Println("received:", message)
	return nil
}
