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

// A buffer is reused, and one part doesn't fit.
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
