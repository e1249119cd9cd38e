package zmqsafe_test

import (
	"errors"
	"fmt"
	"time"

	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// A worker takes jobs from one socket and news from another.
func ExamplePoller() {
	ctx, err := zmq.NewContext()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ctx.Close()
	jobs, toJobs := connectedPair(ctx, zmq.PULL, zmq.PUSH, "inproc://jobs")
	news, toNews := connectedPair(ctx, zmq.PAIR, zmq.PAIR, "inproc://news")
	for _, job := range []string{"wash", "dry"} {
		toJobs.Send(job, 0)
	}
	toNews.Send("nothing more to do", 0)

	poller := zmq.NewPoller()
	poller.Add(jobs, zmq.POLLIN)
	poller.Add(news, zmq.POLLIN)
	for {
		polled, err := poller.Poll(10 * time.Millisecond)
		if err != nil || len(polled) == 0 {
			fmt.Println("the end:", err)
			return
		}
		for _, item := range polled {
			// DONTWAIT, because other goroutines may receive from the socket,
			// too.
			msg, err := item.Socket.Recv(zmq.DONTWAIT)
			if err != nil {
				continue
			}
			switch item.Socket {
			case jobs:
				fmt.Println("job:", msg)
			case news:
				fmt.Println("news:", msg)
				poller.RemoveBySocket(news)
			}
		}
	}
	// Output:
	// job: wash
	// news: nothing more to do
	// job: dry
	// the end: <nil>
}

// Closing the context ends a poll, like every blocked call.
func ExamplePoller_close() {
	ctx, err := zmq.NewContext()
	if err != nil {
		fmt.Println(err)
		return
	}
	jobs, _ := connectedPair(ctx, zmq.PULL, zmq.PUSH, "inproc://jobs")
	ended := make(chan error)
	go func() {
		poller := zmq.NewPoller()
		poller.Add(jobs, zmq.POLLIN)
		_, err := poller.Poll(-1)
		ended <- err
	}()
	fmt.Println(ctx.Close())
	fmt.Println(<-ended == zmq.ETERM)
	// Output:
	// <nil>
	// true
}

// Sockets and channels are handled on one goroutine, so what the handlers share
// needs no lock.
func ExampleReactor() {
	ctx, err := zmq.NewContext()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ctx.Close()
	jobs, toJobs := connectedPair(ctx, zmq.PULL, zmq.PUSH, "inproc://jobs")
	done := 0
	stop := make(chan any, 1)

	reactor := zmq.NewReactor()
	reactor.AddSocket(jobs, zmq.POLLIN, func(zmq.State) error {
		job, err := jobs.Recv(zmq.DONTWAIT)
		if err == nil {
			done++
			fmt.Println("job:", job)
		}
		if done == 2 {
			stop <- errors.New("all done")
		}
		return err
	})
	reactor.AddChannel(stop, 1, func(reason any) error { return reason.(error) })
	reactor.AddChannelTime(time.Tick(time.Minute), 1, func(any) error {
		fmt.Println("jobs by now:", done)
		return nil
	})
	toJobs.Send("wash", 0)
	toJobs.Send("dry", 0)
	fmt.Println(reactor.Run(time.Second))
	// Output:
	// job: wash
	// job: dry
	// all done
}

// connectedPair returns two connected sockets.
func connectedPair(ctx *zmq.Context, bound, connected zmq.Type, endpoint string) (*zmq.Socket, *zmq.Socket) {
	a, errA := ctx.NewSocket(bound)
	b, errB := ctx.NewSocket(connected)
	if err := errors.Join(errA, errB, a.Bind(endpoint), b.Connect(endpoint)); err != nil {
		panic(err)
	}
	return a, b
}
