package zmqsafe_test

import (
	"fmt"

	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// A server that knows its clients by their keys. All that they send is
// encrypted.
func ExampleAuthStart() {
	if err := curve(); err != nil {
		fmt.Println(err)
	}
	// Output: received: Hello
}

func curve() error {
	// Each side makes its keys once, and hands out the public one.
	serverPublic, serverSecret, err := zmq.NewCurveKeypair()
	if err != nil {
		return err
	}
	clientPublic, clientSecret, err := zmq.NewCurveKeypair()
	if err != nil {
		return err
	}

	// Call these before Bind: without AuthStart libzmq admits everybody, and
	// without AuthCurveAdd nobody.
	if err := zmq.AuthStart(); err != nil {
		return err
	}
	defer zmq.AuthStop() // after the server is closed; or zmq.Term, which closes everything in the right order
	zmq.AuthAllow("shop", "127.0.0.1")
	zmq.AuthCurveAdd("shop", clientPublic)

	server, err := zmq.NewSocket(zmq.PULL)
	if err != nil {
		return err
	}
	defer server.Close()
	if err := server.ServerAuthCurve("shop", serverSecret); err != nil {
		return err
	}
	if err := server.Bind("tcp://127.0.0.1:*"); err != nil {
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
	defer client.Close()
	if err := client.ClientAuthCurve(serverPublic, clientPublic, clientSecret); err != nil {
		return err
	}
	if err := client.Connect(endpoint); err != nil {
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
