package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

var sigterm = hazard{
	Hazard:  explain.Hazards["sigterm"],
	Raw:     func() error { return stopService(serveRaw) },
	Guarded: func() error { return stopService(serveGuarded) },
}

func serveRaw(jobsAt, resultsAt string) error {
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	jobs, err := ctx.NewSocket(zmq4.PULL)
	if err != nil {
		return err
	}
	defer jobs.Close()
	if err := jobs.Connect(jobsAt); err != nil {
		return err
	}
	results, err := ctx.NewSocket(zmq4.PUSH)
	if err != nil {
		return err
	}
	defer results.Close()
	if err := results.Connect(resultsAt); err != nil {
		return err
	}
	accepted := 0
	for stopped.Err() == nil {
		job, err := jobs.Recv(0)
		if err != nil {
			return err
		}
		for range resultsOfJob {
			if _, err := results.Send(work(job), 0); err != nil {
				return err
			}
			accepted++
		}
		fmt.Println("results sent:", accepted)
	}
	return nil
}

func serveGuarded(jobsAt, resultsAt string) error {
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	jobs, err := ctx.NewSocket(zmqsafe.PULL)
	if err != nil {
		return err
	}
	defer jobs.Close()
	if err := jobs.Connect(jobsAt); err != nil {
		return err
	}
	results, err := ctx.NewSocket(zmqsafe.PUSH)
	if err != nil {
		return err
	}
	defer results.Close()
	if err := results.Connect(resultsAt); err != nil {
		return err
	}
	accepted := 0
	for stopped.Err() == nil {
		job, err := jobs.RecvContext(stopped, 0) // the fix
		if errors.Is(err, context.Canceled) {
			break
		}
		if err != nil {
			return err
		}
		for range resultsOfJob {
			if _, err := results.Send(work(job), 0); err != nil {
				return err
			}
			accepted++
		}
		fmt.Println("results sent:", accepted)
	}
	return nil
}

// The results of all jobs are more than the kernel and their reader's queue
// hold, and no more than the queue of a socket holds. So when the signal comes,
// the service has sent them all, and still has most of them.
const (
	jobCount     = 10
	resultsOfJob = 100
	resultSize   = 16 << 10 // bytes
	readerQueue  = 100      // messages
)

func work(job string) (result string) {
	return job + strings.Repeat(".", resultSize-len(job))
}

// serviceVariable holds, in the service's environment, the endpoints of the
// jobs and of the results.
const serviceVariable = "ZMQ_EXIT_DEMO_SERVICE"

// stopService is the peer and the supervisor of a service. It starts the
// service as a process of its own, gives it jobs, sends it SIGTERM, waits for
// its end, and counts the results that arrive. It waits without a limit: the
// deadline of the run is the grace period.
func stopService(serve func(jobsAt, resultsAt string) error) error {
	if jobsAt, resultsAt, ok := strings.Cut(os.Getenv(serviceVariable), " "); ok {
		return serve(jobsAt, resultsAt)
	}

	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	jobs, jobsAt, err := bound(ctx, zmq4.PUSH)
	if err != nil {
		return err
	}
	defer jobs.Close()
	results, resultsAt, err := bound(ctx, zmq4.PULL)
	if err != nil {
		return err
	}
	defer results.Close()

	service, err := programAgain(serviceVariable, jobsAt+" "+resultsAt)
	if err != nil {
		return err
	}
	log, err := service.StdoutPipe()
	if err != nil {
		return err
	}
	if err := service.Start(); err != nil {
		return err
	}
	accepted, err := giveJobs(jobs, log)
	if err != nil {
		return errors.Join(err, service.Wait())
	}
	time.Sleep(settle)
	if err := service.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	missing := receiveAll(results, accepted, 2*time.Second)
	if err := service.Wait(); err != nil {
		return err
	}
	return missing
}

func bound(ctx *zmq4.Context, t zmq4.Type) (sock *zmq4.Socket, endpoint string, err error) {
	if sock, err = ctx.NewSocket(t); err != nil {
		return nil, "", err
	}
	if err = errors.Join(sock.SetLinger(0), sock.SetRcvhwm(readerQueue)); err != nil {
		sock.Close()
	}
	return bind(sock, err)
}

// giveJobs gives a job whenever the service is done with the one before, and
// returns how many results the service says it has sent.
func giveJobs(jobs *zmq4.Socket, log io.Reader) (accepted int, err error) {
	for range jobCount {
		if _, err := jobs.Send("a job", 0); err != nil {
			return 0, err
		}
		if _, err := fmt.Fscanf(log, "results sent: %d\n", &accepted); err != nil {
			return 0, fmt.Errorf("the service's log: %w", err)
		}
	}
	return accepted, nil
}
