package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/zmqsafe/zmq-exit/cmd/zmq-exit-demo/internal/timeline"
)

const timelineUsage = `Usage: zmq-exit-demo timeline HAZARD [flags]

Runs the guarded program of a hazard in a process of its own, and draws how it closed
its contexts: a bar for each socket, with the steps of the close above, and the
deadline. Where the life before was much longer than the close, the axis is broken and
each part has its own scale. Sockets beyond the first few of many share a bar.

  open        from its creation
  blocked     a receive, send or poll waits on it
  woken       these were ended; the context does so with all sockets first
  closing     new calls fail; its zmq_close is due
  lingering   after zmq_close: libzmq sends what is left, or has yet to let go of it
  gone        libzmq is done with it

The chart is for a terminal, as wide as that or as COLUMNS says, and 100 columns wide
where there is none. -svg draws a picture instead.

When calls were blocked is seen by looking now and then, which is to about 0.3 ms, and
coarser with thousands of sockets. The same is true of when the program closed a socket
itself that libzmq was done with before the context was closed. Other times are exact.

Exit status: 0 when the program ended cleanly, 1 when it didn't, when there is nothing
to draw, or when the picture can't be written, 2 for wrong usage and for a file that
can't be opened, 4 when this system lacks something that the program needs, 130 when
interrupted.

Flags:
`

func timelineCommand(args []string, stdout, stderr io.Writer) int {
	const name = "zmq-exit-demo timeline"
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	picture := flags.String("svg", "", "write a picture to `file`, or to standard output if it is -")
	asJSON := flags.Bool("json", false, "print what was recorded as JSON")
	deadline := flags.Duration("deadline", 10*time.Second, "a program still running after this `time` hangs")
	rest, status, done := parse(flags, timelineUsage, args, stdout, stderr)
	if done {
		return status
	}
	h, err := theHazard(rest)
	switch {
	case err != nil:
	case *deadline <= 0:
		err = fmt.Errorf("-deadline %v: it must be more than 0", *deadline)
	case *picture != "" && *asJSON:
		err = errors.New("-svg and -json: only one of them can be had at a time")
	}
	if err != nil {
		return usageError(stderr, name, err)
	}
	if h.Prepare != nil { // it is another program, without the recorder
		fmt.Fprintf(stderr, "%s: nothing to draw: the programs of %s are in C, and can't be recorded\n", name, h.ID)
		return exitFailed
	}
	show := func(r timeline.Recording) error {
		return r.WriteText(stdout, terminalWidth(stdout), isTerminal(stdout) && os.Getenv("NO_COLOR") == "")
	}
	switch *picture {
	case "":
	case "-":
		show = func(r timeline.Recording) error { return r.WriteSVG(stdout) }
	default:
		// Opened before the run, so that a wrong name doesn't cost one.
		file, err := os.OpenFile(*picture, os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return usageError(stderr, name, err)
		}
		defer removeIfEmpty(file)
		show = func(r timeline.Recording) error { return replace(file, r.WriteSVG) }
	}

	ctx, stop := untilInterrupted()
	defer stop()
	recording, ended, err := recordRun(ctx, h, *deadline)
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return exitFailed
	}
	switch {
	case ended.Outcome == skipped:
		fmt.Fprintf(stderr, "%s: nothing to draw: %s was skipped: %s\n", name, h.ID, ended.Reason)
		return exitSkipped
	case ended.Outcome != clean:
		fmt.Fprintf(stderr, "%s %s: %s\n%s\n", guarded, h.ID, ended.Outcome, indent(ended.Stderr))
	}
	switch {
	case *asJSON:
		status = printJSON(stdout, stderr, recording)
	case len(recording.Contexts) == 0:
		fmt.Fprintf(stderr, "%s: nothing to draw: the guarded program of %s has made no context of zmqsafe that could be recorded\n", name, h.ID)
		status = exitFailed
	default:
		if err := show(recording); err != nil {
			fmt.Fprintf(stderr, "%s: %v\n", name, err)
			status = exitFailed
		}
	}
	if ended.Outcome != clean {
		status = exitFailed
	}
	return status
}

// replace writes a file anew, which need not be a regular one, and closes it.
func replace(file *os.File, write func(io.Writer) error) error {
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = file.Truncate(0)
	}
	return errors.Join(err, write(file), file.Close())
}

// removeIfEmpty removes a file if it is empty, unless it was closed.
func removeIfEmpty(file *os.File) {
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		_ = os.Remove(file.Name())
	}
	_ = file.Close()
}

// recordRun runs the guarded program of a hazard in a process of its own and returns
// what it and the processes that it started have recorded, and how it ended.
func recordRun(ctx context.Context, h hazard, deadline time.Duration) (timeline.Recording, result, error) {
	dir, err := os.MkdirTemp("", "zmq-exit-demo-timeline-")
	if err != nil {
		return timeline.Recording{}, result{}, err
	}
	defer os.RemoveAll(dir)
	if err := noCoreDumps(); err != nil {
		return timeline.Recording{}, result{}, err
	}
	ended, err := runChild(ctx, h, guarded, deadline, recordVariable+"="+dir)
	if err != nil {
		return timeline.Recording{}, result{}, err
	}
	contexts, err := timeline.ReadDir(dir)
	return timeline.Recording{
		Hazard: h.ID, Title: h.Title, Libzmq: loadedLibzmq(), Outcome: string(ended.Outcome), Contexts: contexts,
	}, ended, err
}
