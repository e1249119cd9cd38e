package zmqsafe_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// A worker blocks in Recv while main ends. Closing the context wakes the worker
// and leaves nothing behind.
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

// Request and reply: the server answers until the context is closed.
func Example_reqRep() {
	var serving sync.WaitGroup
	defer serving.Wait()
	ctx, err := zmq.NewContext()
	if err != nil {
		log.Fatal(err)
	}
	defer ctx.Close() // ends the server

	server, err := ctx.NewSocket(zmq.REP)
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Bind("tcp://127.0.0.1:*"); err != nil {
		log.Fatal(err)
	}
	serving.Go(func() {
		for request, err := range server.Messages(context.Background()) {
			if err == nil {
				_, err = server.SendMessage("hello", request)
			}
			if err != nil && err != zmq.ETERM {
				log.Print(err)
			}
		}
	})

	client, err := ctx.NewSocket(zmq.REQ)
	if err != nil {
		log.Fatal(err)
	}
	endpoint, err := server.GetLastEndpoint()
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Connect(endpoint); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"Ada", "Grace"} {
		if _, err := client.Send(name, 0); err != nil {
			log.Fatal(err)
		}
		reply, err := client.RecvMessage(0)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(reply)
	}
	// Output:
	// [hello Ada]
	// [hello Grace]
}

// Publish and subscribe. Messages published before a subscription has arrived
// are lost, so this publisher waits for it: an XPUB is a PUB that receives
// subscriptions.
func Example_pubSub() {
	ctx, err := zmq.NewContext()
	if err != nil {
		log.Fatal(err)
	}
	defer ctx.Close()
	publisher, err := ctx.NewSocket(zmq.XPUB)
	if err != nil {
		log.Fatal(err)
	}
	defer publisher.Close()
	if err := publisher.Bind("tcp://127.0.0.1:*"); err != nil {
		log.Fatal(err)
	}
	endpoint, err := publisher.GetLastEndpoint()
	if err != nil {
		log.Fatal(err)
	}

	subscriber, err := ctx.NewSocket(zmq.SUB)
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(subscriber.SetSubscribe("weather"), subscriber.Connect(endpoint)); err != nil {
		log.Fatal(err)
	}

	subscription, err := publisher.Recv(0) // a byte 1 and the topic
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", subscription)
	for _, news := range [][]string{{"weather", "sunny"}, {"sports", "draw"}, {"weather", "rain"}} {
		if _, err := publisher.SendMessage(news); err != nil {
			log.Fatal(err)
		}
	}
	for range 2 {
		news, err := subscriber.RecvMessage(0)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(news)
	}
	// Output:
	// "\x01weather"
	// [weather sunny]
	// [weather rain]
}

// A pool of workers, fed by PUSH. They share one PULL, and end when it is
// closed.
func Example_pushPull() {
	ctx, err := zmq.NewContext()
	if err != nil {
		log.Fatal(err)
	}
	defer ctx.Close()
	jobs, err := ctx.NewSocket(zmq.PUSH)
	if err != nil {
		log.Fatal(err)
	}
	work, err := ctx.NewSocket(zmq.PULL)
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(jobs.Bind("inproc://jobs"), work.Connect("inproc://jobs")); err != nil {
		log.Fatal(err)
	}

	sizes := make(chan int)
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			for {
				job, err := work.Recv(0)
				if err == zmq.ErrorSocketClosed {
					return
				}
				if err != nil {
					log.Fatal(err)
				}
				sizes <- len(job)
			}
		})
	}

	total, words := 0, []string{"any", "goroutine", "may", "use", "a", "socket"}
	for _, word := range words {
		if _, err := jobs.Send(word, 0); err != nil {
			log.Fatal(err)
		}
	}
	for range words {
		total += <-sizes
	}
	if err := work.Close(); err != nil {
		log.Fatal(err)
	}
	workers.Wait()
	fmt.Println(total, "letters")
	// Output: 25 letters
}

// An asynchronous server. A ROUTER puts the sender's identity before each
// message that it receives, and sends a message to the peer whose identity
// comes first. So it may answer in any order.
func Example_routerDealer() {
	ctx, err := zmq.NewContext()
	if err != nil {
		log.Fatal(err)
	}
	defer ctx.Close()
	server, err := ctx.NewSocket(zmq.ROUTER)
	if err != nil {
		log.Fatal(err)
	}
	if err := server.Bind("inproc://server"); err != nil {
		log.Fatal(err)
	}
	var clients []*zmq.Socket
	for _, name := range []string{"Ada", "Grace"} {
		client, err := ctx.NewSocket(zmq.DEALER)
		if err != nil {
			log.Fatal(err)
		}
		if err := errors.Join(client.SetIdentity(name), client.Connect("inproc://server")); err != nil {
			log.Fatal(err)
		}
		if _, err := client.SendMessage("question of", name); err != nil {
			log.Fatal(err)
		}
		clients = append(clients, client)
	}

	var questions [][]string
	for range clients {
		question, err := server.RecvMessage(0)
		if err != nil {
			log.Fatal(err)
		}
		questions = append(questions, question)
	}
	for _, question := range []int{1, 0} { // the last one first
		identity, body := questions[question][0], questions[question][1:]
		if _, err := server.SendMessage(identity, "answer to the", body); err != nil {
			log.Fatal(err)
		}
	}

	for _, client := range clients {
		answer, err := client.RecvMessage(0)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer)
	}
	// Output:
	// [answer to the question of Ada]
	// [answer to the question of Grace]
}
