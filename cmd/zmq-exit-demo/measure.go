package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

const measureUsage = overview + `
Without a command, each program of each hazard runs -runs times, each time in a
process of its own with a deadline, and a table says how the runs ended:

  clean    the program ended as it should
  abort    libzmq, or the Go runtime on its behalf, died of SIGABRT
  crash    any other fatal signal, a Go fatal error, or a corrupted heap
  hang     still running at the deadline
  lost     messages are missing
  error    the program returned an error
  skipped  this system lacks something that the program needs; not judged

Exit status: 0 if every guarded run was clean and the raw runs of fd-sweep aborted
in epoll_t::add_fd (1 in 20 may do something else), 1 if not, 2 for wrong usage,
130 when interrupted. Only programs that ran are judged.

Flags:
`

// settings are the flags of a measurement.
type settings struct {
	Hazards  []hazard
	Modes    []mode
	Runs     int
	Deadline time.Duration
	Parallel int
}

func measureCommand(args []string, stdout, stderr io.Writer) int {
	const name = "zmq-exit-demo"
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	ids := flags.String("hazard", "", "run only these hazards: `ids` with commas between them")
	modeName := flags.String("mode", "both", "run only these `programs`: raw, guarded or both")
	runs := flags.Int("runs", 5, "run each program `n` times")
	deadline := flags.Duration("deadline", 10*time.Second, "a program still running after this `time` hangs")
	parallel := flags.Int("parallel", 12, "run `n` programs at once; those that need every core run alone")
	asJSON := flags.Bool("json", false, "print JSON instead of a table")
	rest, status, done := cli.Parse(flags, measureUsage, args, stdout, stderr)
	if done {
		return status
	}

	s := settings{Runs: *runs, Deadline: *deadline, Parallel: *parallel}
	var err error
	s.Hazards, err = selectHazards(*ids)
	switch {
	case err != nil:
	case len(rest) > 0:
		err = fmt.Errorf("no arguments are wanted, not %q: name hazards with -hazard", rest)
	case s.Runs < 1:
		err = fmt.Errorf("-runs %d: it must be at least 1", s.Runs)
	case s.Deadline <= 0:
		err = fmt.Errorf("-deadline %v: it must be more than 0", s.Deadline)
	case s.Parallel < 1:
		err = fmt.Errorf("-parallel %d: it must be at least 1", s.Parallel)
	default:
		s.Modes, err = selectModes(*modeName)
	}
	if err != nil {
		return cli.UsageError(stderr, name, err)
	}

	ctx, stop := untilInterrupted()
	defer stop()
	rep := newReport(s, loadedLibzmq())
	show := progress{w: stderr, total: len(s.Hazards) * len(s.Modes) * s.Runs, live: cli.IsTerminal(stderr)}
	show.preparing(s.Hazards)
	err = measure(ctx, s, func(a attempt, r result) {
		rep.add(a, r)
		show.ended(a, r)
	})
	show.clear()
	if err != nil && ctx.Err() == nil {
		return cli.Error(stderr, name, err)
	}
	rep.judge(ctx.Err() != nil)

	if !*asJSON {
		rep.print(stdout, cli.Colour(stdout))
	} else if err := cli.WriteJSON(stdout, rep); err != nil {
		return cli.Error(stderr, name, err)
	}
	switch {
	case rep.Interrupted:
		return exitInterrupted
	case !rep.Shown:
		return cli.Failed
	default:
		return cli.OK
	}
}

func selectHazards(ids string) ([]hazard, error) {
	if ids == "" {
		return hazards, nil
	}
	wanted := strings.Split(ids, ",")
	for _, id := range wanted {
		if _, err := findHazard(id); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(slices.Clone(hazards), func(h hazard) bool {
		return !slices.Contains(wanted, h.ID)
	}), nil
}

func selectModes(name string) ([]mode, error) {
	switch name {
	case "both":
		return []mode{raw, guarded}, nil
	case string(raw), string(guarded):
		return []mode{mode(name)}, nil
	default:
		return nil, fmt.Errorf("unknown mode %q: the modes are raw, guarded and both", name)
	}
}

// attempt is one run of one program.
type attempt struct {
	hazard hazard
	mode   mode
}

// measure runs the programs and calls ended after each run, one call at a time.
// It stops at the first hazard that can't be prepared, at the first run that
// can't be made, or when ctx is cancelled, and returns the reason.
func measure(ctx context.Context, s settings, ended func(attempt, result)) error {
	if err := noCoreDumps(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "zmq-exit-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var alone, together []attempt
	for _, h := range s.Hazards {
		if h, err = prepare(ctx, h, dir); err != nil {
			return err
		}
		for _, m := range s.Modes {
			if h.Busy {
				alone = append(alone, attempt{h, m})
			} else {
				together = append(together, attempt{h, m})
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
	runAtOnce(ctx, slices.Repeat(together, s.Runs), s.Parallel, run)
	runAtOnce(ctx, slices.Repeat(alone, s.Runs), 1, run)
	return context.Cause(ctx)
}

// runAtOnce calls run for each attempt, at most n at a time, and returns when
// all calls have returned. It starts no more when ctx is cancelled.
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
