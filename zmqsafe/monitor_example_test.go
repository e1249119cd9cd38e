package zmqsafe_test

import (
	"context"
	"fmt"
	"log"

	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// The events of a server until the first client has connected.
func ExampleSocket_Events() {
	zctx, err := zmq.NewContext()
	if err != nil {
		log.Fatal(err)
	}
	defer zctx.Close()
	server, err := zctx.NewSocket(zmq.REP)
	if err != nil {
		log.Fatal(err)
	}
	events := server.Events(context.Background()) // before Bind, to see that, too
	if err := server.Bind("tcp://127.0.0.1:*"); err != nil {
		log.Fatal(err)
	}
	endpoint, err := server.GetLastEndpoint()
	if err != nil {
		log.Fatal(err)
	}
	client, err := zctx.NewSocket(zmq.REQ)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close() // not before the handshake, as the garbage collector might
	if err := client.Connect(endpoint); err != nil {
		log.Fatal(err)
	}

	for event, err := range events {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(event.Event, event.Addr == endpoint)
		if event.Event == zmq.EVENT_HANDSHAKE_SUCCEEDED {
			break // ends the monitor
		}
	}
	// Output:
	// EVENT_LISTENING true
	// EVENT_ACCEPTED true
	// EVENT_HANDSHAKE_SUCCEEDED true
}
