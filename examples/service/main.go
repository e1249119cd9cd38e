// Command service is a whole service to start from: jobs come to a PULL socket and over HTTP, results go out on a PUB
// socket. SIGTERM or Ctrl-C ends it in order: what was taken is finished, what was sent is delivered. A PUSH peer isn't
// told what became of a job, and those that no worker has taken by then are lost; who asks over HTTP gets an answer.
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
	timeout = flag.Duration("timeout", shutdown.DefaultTimeout, "how long a stop may take; half of that to finish jobs")
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
		g.Add("zmq", zctx) // closed when all workers are out, which delivers what was sent, as long as there is time
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
		for range *workers { // what Add, Go and Serve return, Main reports, too
			g.Go("worker", func(ctx context.Context) error {
				for job, err := range jobs.Messages(ctx) {
					if err != nil {
						return err // ctx is done, and no job was taken
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
