package zmqsafe_test

import (
	"context"
	"errors"
	"fmt"

	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// A broker between clients and workers, stopped by a context.Context. Closing
// one of its sockets, or the Context, also stops it.
func ExampleProxyContext() {
	zctx, err := zmq.NewContext()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer zctx.Close()
	clients, _ := zctx.NewSocket(zmq.ROUTER)
	workers, _ := zctx.NewSocket(zmq.DEALER)
	worker, _ := zctx.NewSocket(zmq.REP)
	client, _ := zctx.NewSocket(zmq.REQ)
	if err := errors.Join(
		clients.Bind("inproc://clients"), workers.Bind("inproc://workers"),
		worker.Connect("inproc://workers"), client.Connect("inproc://clients"),
	); err != nil {
		fmt.Println(err)
		return
	}

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- zmq.ProxyContext(ctx, clients, workers, nil) }()
	go func() {
		for message, err := range worker.Messages(context.Background()) {
			if err == nil {
				_, err = worker.SendMessage("hello,", message)
			}
			if err != nil {
				return // ETERM: the context is being closed
			}
		}
	}()

	for _, name := range []string{"Ada", "Grace"} {
		if _, err := client.SendMessage(name); err != nil {
			fmt.Println(err)
		}
		reply, err := client.RecvMessage(0)
		fmt.Println(reply, err)
	}
	stop()
	fmt.Println(<-ended)
	// Output:
	// [hello, Ada] <nil>
	// [hello, Grace] <nil>
	// context canceled
}
