package zmqsafe_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

func ExampleSocket_Messages() {
	zctx, err := zmq.NewContext()
	if err != nil {
		log.Fatal(err)
	}
	defer zctx.Close()
	pull, err := zctx.NewSocket(zmq.PULL)
	if err != nil {
		log.Fatal(err)
	}
	push, err := zctx.NewSocket(zmq.PUSH)
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(pull.Bind("inproc://messages"), push.Connect("inproc://messages")); err != nil {
		log.Fatal(err)
	}
	for _, text := range []string{"one", "two", "stop"} {
		if _, err := push.SendMessage("number", text); err != nil {
			log.Fatal(err)
		}
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for message, err := range pull.Messages(ctx) {
		if err != nil {
			fmt.Println("ended:", err)
			break
		}
		fmt.Printf("%s\n", message)
		if string(message[1]) == "stop" {
			cancel()
		}
	}
	// Output:
	// [number one]
	// [number two]
	// [number stop]
	// ended: context canceled
}

// A buffer that is used again, and a part that doesn't fit.
func ExampleSocket_RecvInto() {
	ctx, err := zmq.NewContext()
	if err != nil {
		log.Fatal(err)
	}
	defer ctx.Close()
	pull, err := ctx.NewSocket(zmq.PULL)
	if err != nil {
		log.Fatal(err)
	}
	push, err := ctx.NewSocket(zmq.PUSH)
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(pull.Bind("inproc://buffer"), push.Connect("inproc://buffer")); err != nil {
		log.Fatal(err)
	}
	for _, text := range []string{"short", "a longer one", "short again"} {
		if _, err := push.Send(text, 0); err != nil {
			log.Fatal(err)
		}
	}

	buf := make([]byte, 5)
	for range 3 {
		n, err := pull.RecvInto(buf, 0)
		if errors.Is(err, zmq.EMSGSIZE) {
			buf = make([]byte, n)
			n, err = pull.RecvInto(buf, 0)
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", buf[:n])
	}
	// Output:
	// short
	// a longer one
	// short again
}

// A monitor: what happens to a server until the first client has connected.
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
	events := server.Events(context.Background()) // before Bind, to see it too
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
