package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
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

Exit status: 0 when every guarded run was clean and the raw runs of fd-sweep aborted
in epoll_t::add_fd (1 in 20 may do something else), 1 when not, 2 for wrong usage,
130 when interrupted. What was not run is not asked for.

Flags:
`

// settings is what the flags of a measurement say.
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
	rest, status, done := parse(flags, measureUsage, args, stdout, stderr)
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
		return usageError(stderr, name, err)
	}

	ctx, stop := untilInterrupted()
	defer stop()
	rep := newReport(s, loadedLibzmq())
	show := progress{w: stderr, total: len(s.Hazards) * len(s.Modes) * s.Runs, live: isTerminal(stderr)}
	show.preparing(s.Hazards)
	err = measure(ctx, s, func(a attempt, r result) {
		rep.add(a, r)
		show.ended(a, r)
	})
	show.clear()
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitFailed
	}
	rep.judge(ctx.Err() != nil)

	if *asJSON {
		status = printJSON(stdout, stderr, rep)
	} else {
		rep.print(stdout, isTerminal(stdout) && os.Getenv("NO_COLOR") == "")
	}
	switch {
	case rep.Interrupted:
		return exitInterrupted
	case !rep.Shown:
		return exitFailed
	default:
		return status
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
