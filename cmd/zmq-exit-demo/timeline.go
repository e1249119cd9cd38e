package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
	"github.com/zmqsafe/zmq-exit/cmd/internal/timeline"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

const timelineUsage = `Usage: $0 HAZARD [flags]

Runs the guarded program of a hazard in a process of its own with ZMQSAFE_REPORT set,
and draws the closing report of each context that it closes. "zmq-exit timeline" draws
the reports of any other program.

` + timeline.Legend + `
Exit status: 0 if the program ended cleanly, 1 if it didn't or if there is nothing to
draw, 2 for wrong usage and for a file that can't be written, 4 if this system lacks
something that the program needs, 130 when interrupted.

Flags:
`

func timelineCommand(args []string, stdout, stderr io.Writer) int {
	const name = "zmq-exit-demo timeline"
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	picture := timeline.SVGFlag(flags)
	asJSON := flags.Bool("json", false, "print the closing reports as JSON instead")
	deadline := flags.Duration("deadline", 10*time.Second, "a program still running after this `time` hangs")
	rest, status, done := cli.Parse(flags, timelineUsage, args, stdout, stderr)
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
		return cli.UsageError(stderr, name, err)
	}
	if *picture != "" && *picture != "-" { // a wrong name is noticed before the run
		file, err := os.OpenFile(*picture, os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return cli.UsageError(stderr, name, err)
		}
		defer closeOrRemove(file)
	}

	ctx, stop := untilInterrupted()
	defer stop()
	text, ended, err := closingReports(ctx, h, *deadline)
	switch {
	case ctx.Err() != nil:
		return exitInterrupted
	case err != nil:
		return cli.Error(stderr, name, err)
	case ended.Outcome == skipped:
		fmt.Fprintf(stderr, "%s: nothing to draw: %s was skipped: %s\n", name, h.ID, ended.Reason)
		return exitSkipped
	case ended.Outcome != clean:
		fmt.Fprintf(stderr, "%s %s: %s\n%s\n", guarded, h.ID, ended.Outcome, indent(ended.Stderr))
	}
	if len(text) == 0 {
		return cli.Error(stderr, name, fmt.Errorf("nothing to draw: the guarded program of %s has closed no context", h.ID))
	}
	if *asJSON {
		_, err = stdout.Write(text)
	} else if reports, parseErr := timeline.Parse(text); parseErr != nil {
		err = parseErr
	} else if err := (timeline.Chart{
		Title:    h.ID + ": " + h.Title,
		Subtitle: fmt.Sprintf("The guarded program with libzmq %s; outcome: %s", loadedLibzmq(), ended.Outcome),
		Reports:  reports,
	}).Draw(*picture, stdout); err != nil {
		return cli.UsageError(stderr, name, err)
	}
	switch {
	case err != nil:
		return cli.Error(stderr, name, err)
	case ended.Outcome != clean:
		return cli.Failed
	}
	return cli.OK
}

// closeOrRemove closes a file, and removes it if nothing was written.
func closeOrRemove(file *os.File) {
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		os.Remove(file.Name())
	}
	file.Close()
}

// closingReports runs the guarded program of a hazard and returns the closing
// reports that it and the processes that it started have written, and how it
// ended.
func closingReports(ctx context.Context, h hazard, deadline time.Duration) ([]byte, result, error) {
	dir, err := os.MkdirTemp("", "zmq-exit-demo-timeline-")
	if err != nil {
		return nil, result{}, err
	}
	defer os.RemoveAll(dir)
	if err := noCoreDumps(); err != nil {
		return nil, result{}, err
	}
	if h, err = prepare(ctx, h, filepath.Join(dir, "prepared")); err != nil {
		return nil, result{}, err
	}
	file := filepath.Join(dir, "report.json")
	ended, err := runChild(ctx, h, guarded, deadline, zmqsafe.ReportVariable+"="+file)
	if err != nil {
		return nil, result{}, err
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return text, ended, err
}
