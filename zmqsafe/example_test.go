package zmqsafe_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// A worker that blocks in Recv, and a main that ends: closing the context wakes
// the worker and leaves nothing behind.
func Example() {
	ctx, err := zmq.NewContext()
	if err != nil {
		fmt.Println(err)
		return
	}
	work, _ := ctx.NewSocket(zmq.PULL)
	jobs, _ := ctx.NewSocket(zmq.PUSH)
	if err := errors.Join(work.Bind("inproc://jobs"), jobs.Connect("inproc://jobs")); err != nil {
		fmt.Println(err)
		return
	}

	first, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		for n := 0; ; n++ {
			job, err := work.Recv(0)
			if err != nil {
				fmt.Println("worker ends:", err == zmq.ETERM)
				return
			}
			fmt.Println("job", job)
			if n == 0 {
				close(first)
			}
		}
	}()
	if _, err := jobs.Send("one", 0); err != nil {
		fmt.Println(err)
	}
	<-first
	fmt.Println("closed:", ctx.Close())
	<-ended
	// Unordered output:
	// job one
	// worker ends: true
	// closed: <nil>
}

func ExampleSocket_RecvContext() {
	zctx, err := zmq.NewContext()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer zctx.Close()
	pull, _ := zctx.NewSocket(zmq.PULL)
	if err := pull.Bind("inproc://quiet"); err != nil {
		fmt.Println(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = pull.RecvContext(ctx, 0)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}
