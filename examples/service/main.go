// Command service is a complete service to start from. Jobs arrive on a PULL
// socket and over HTTP, and results leave on a PUB socket. SIGTERM or Ctrl-C
// stops it in order: it does the jobs that have arrived, and delivers what it
// has sent. PUSH peers that go on lose the jobs that come later.
//
//	go run ./examples/service -h
//	curl -d hello localhost:8080/jobs
//	curl 'localhost:8080/debug/pprof/zmqsafe.sockets?debug=1'
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/http"
	_ "net/http/pprof"
	"time"

	"github.com/zmqsafe/zmq-exit/shutdown"
	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
)

var (
	httpAt  = flag.String("http", "localhost:8080", "serve HTTP at `address`: POST /jobs, GET /debug/pprof/")
	jobsAt  = flag.String("jobs", "tcp://127.0.0.1:5557", "take jobs from PUSH peers at `endpoint`")
	feedAt  = flag.String("feed", "tcp://127.0.0.1:5558", "publish results to SUB peers at `endpoint`")
	workers = flag.Uint("workers", 4, "do this many jobs of PUSH peers at a time")
	takes   = flag.Duration("takes", 100*time.Millisecond, "how long a job takes")
	timeout = flag.Duration("timeout", shutdown.DefaultTimeout, "how long a stop may take; a quarter of that to take jobs that have arrived, half to finish them")
)

func main() {
	flag.Parse()
	slog.SetLogLoggerLevel(slog.LevelDebug) // shows the closing reports
	shutdown.Main(func(g *shutdown.Group) error {
		g.Timeout = *timeout
		zctx, err := zmq.NewContext()
		if err != nil {
			return err
		}
		g.Add("zmq", zctx) // closed last, when all workers have returned: delivers what was sent
		jobs, errJobs := zctx.NewSocket(zmq.PULL)
		feed, errFeed := zctx.NewSocket(zmq.PUB)
		if err := errors.Join(errJobs, errFeed, jobs.Bind(*jobsAt), feed.Bind(*feedAt)); err != nil {
			return err
		}
		do := func(job []byte) (result []byte) {
			time.Sleep(*takes) // work
			result = bytes.ToUpper(job)
			if _, err := feed.SendBytes(result, 0); err != nil {
				slog.Error("not published", "result", result, "error", err)
			}
			return result
		}
		for range *workers { // Main also reports what Add, Go and Serve return
			g.Go("worker", func(ctx context.Context) error {
				for job, err := range jobs.Drain(ctx, *timeout/40, max(*timeout/4, time.Millisecond)) {
					if err != nil {
						return err
					}
					do(job[0])
				}
				return nil
			})
		}
		http.HandleFunc("POST /jobs", func(w http.ResponseWriter, r *http.Request) {
			if job, err := io.ReadAll(r.Body); err == nil { // else nobody waits for an answer
				w.Write(do(job))
			}
		})
		server := &http.Server{Addr: *httpAt}
		g.Serve("http", server.ListenAndServe, server)
		slog.Info("ready", "http", *httpAt, "sockets", zctx.Sockets())
		return nil
	})
}
