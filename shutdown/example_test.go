package shutdown_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/zmqsafe/zmq-exit/shutdown"
)

// db stands for something that must be closed.
type db string

func (d db) Shutdown(context.Context) error {
	fmt.Println("close", d)
	return nil
}

// A worker, two things to close, and a cause to stop.
func Example() {
	var g shutdown.Group
	g.Add("zmq", db("the sockets"))
	g.Add("db", db("the database"))
	g.Go("feed", func(ctx context.Context) error {
		<-ctx.Done()
		fmt.Println("feed stops:", context.Cause(ctx))
		return ctx.Err()
	})
	time.AfterFunc(10*time.Millisecond, g.Stop) // most programs wait for a signal

	err := g.Run(context.Background())
	fmt.Println(err, shutdown.ExitStatus(err))
	// Output:
	// feed stops: shutdown: Stop was called
	// close the database
	// close the sockets
	// <nil> 0
}

// A program that ends when its workers have returned.
func ExampleGroup_Go() {
	var g shutdown.Group
	g.Add("zmq", db("the sockets"))
	for i := range 3 {
		g.Go("square", func(context.Context) error {
			if i*i == 4 {
				return errors.New("4 is not a number for me")
			}
			return nil
		})
	}
	fmt.Println(g.Run(context.Background()))
	// Output:
	// close the sockets
	// shutdown: worker "square": 4 is not a number for me
}

// A step that ignores its context is left behind, and the next one begins.
func ExampleGroup_Add() {
	forever := make(chan struct{})
	defer close(forever)
	var g shutdown.Group
	g.Add("zmq", db("the sockets"))
	g.Add("ftp", shutdown.Func(func(context.Context) error { <-forever; return nil }), shutdown.Within(50*time.Millisecond))
	err := g.Shutdown(context.Background())
	fmt.Println(errors.Is(err, context.DeadlineExceeded), shutdown.ExitStatus(err))
	for _, step := range g.Report().Steps {
		fmt.Println(step.Name, step.State)
	}
	// Output:
	// close the sockets
	// true 124
	// ftp still running
	// zmq done
}

// Add something that has no Shutdown, and something that has only a Close.
func ExampleGroup_AddCloser() {
	var g shutdown.Group
	file, err := os.CreateTemp("", "example")
	if err != nil {
		return
	}
	g.Add("temporary file", shutdown.Func(func(context.Context) error { return os.Remove(file.Name()) }))
	g.AddCloser("file", file)
	fmt.Println(g.Shutdown(context.Background()))
	// Output: <nil>
}

// A worker panics: everything is closed, and then the panic is reported.
func ExamplePanicError() {
	g := shutdown.Group{Logger: slog.New(slog.DiscardHandler)} // others receive the stack at once
	g.Add("zmq", db("the sockets"))
	g.Go("feed", func(context.Context) error { panic("boom") })
	err := g.Run(context.Background())
	var p *shutdown.PanicError
	fmt.Println(errors.As(err, &p), p.Value, shutdown.ExitStatus(err))
	// Output:
	// close the sockets
	// true boom 2
}

// Groups nest: the inner one stops with the outer one, which returns its error.
func ExampleGroup_Run() {
	var service, cache shutdown.Group
	service.Add("zmq", db("the sockets"))
	cache.Add("file", db("the cache"))
	cache.Go("refresh", func(context.Context) error { return errors.New("no such host") })
	service.Go("cache", cache.Run)
	fmt.Println(service.Run(context.Background()))
	// Output:
	// close the cache
	// close the sockets
	// shutdown: worker "cache": shutdown: worker "refresh": no such host
}
