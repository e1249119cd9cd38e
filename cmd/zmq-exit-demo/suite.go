package main

import (
	"context"
	"os"
	"sync"
)

// attempt is one run of one program.
type attempt struct {
	hazard hazard
	mode   mode
}

// measure runs what s says and calls ended after each run, one call at a time.
// It stops at the first hazard that could not be prepared, at the first run that
// could not be made, or when ctx is cancelled, and returns the reason.
func measure(ctx context.Context, s settings, ended func(attempt, result)) error {
	if err := noCoreDumps(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "zmq-exit-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	hazards, err := prepare(ctx, s.Hazards, dir)
	if err != nil {
		return err
	}
	var alone, together []attempt
	for range s.Runs {
		for _, h := range hazards {
			for _, m := range s.Modes {
				if h.Busy {
					alone = append(alone, attempt{h, m})
				} else {
					together = append(together, attempt{h, m})
				}
			}
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var mu sync.Mutex
	run := func(a attempt) {
		r, err := runChild(ctx, a.hazard, a.mode, s.Deadline)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			cancel(err)
			return
		}
		ended(a, r)
	}
	runAtOnce(ctx, together, s.Parallel, run)
	runAtOnce(ctx, alone, 1, run)
	return context.Cause(ctx)
}

// runAtOnce calls run for each attempt, at most n at a time, and returns when all
// have returned. It starts no more when ctx is cancelled.
func runAtOnce(ctx context.Context, attempts []attempt, n int, run func(attempt)) {
	var running sync.WaitGroup
	slots := make(chan struct{}, n)
	for _, a := range attempts {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			run(a)
			<-slots
		})
	}
	running.Wait()
}
