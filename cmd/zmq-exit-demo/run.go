package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

const runUsage = `Usage: $0 HAZARD [-mode raw|guarded]

Runs one program of a hazard in this process, for a debugger:

  gdb -ex run -ex backtrace --args $0 fd-sweep -mode raw

A program in C is built first, in the user's cache directory, and replaces this process.

Exit status: 0 if the program ended cleanly, 1 if it returned an error, 2 for wrong
usage, 3 if messages are missing, 4 if this system lacks something that the program
needs. Many raw programs abort instead, or never return.

Flags:
`

func runCommand(args []string, stdout, stderr io.Writer) int {
	const name = "zmq-exit-demo run"
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	modeName := flags.String("mode", string(raw), "which `program`: raw (pebbe/zmq4) or guarded (zmqsafe)")
	rest, status, done := cli.Parse(flags, runUsage, args, stdout, stderr)
	if done {
		return status
	}
	h, err := theHazard(rest)
	if err != nil {
		return cli.UsageError(stderr, name, err)
	}
	m := mode(*modeName)
	if m != raw && m != guarded {
		return cli.UsageError(stderr, name, fmt.Errorf("unknown mode %q: the modes are raw and guarded", m))
	}

	if err = prepareHere(context.Background(), h); err == nil {
		err = h.program(m)()
	}
	if err == nil {
		fmt.Fprintf(stdout, "%s %s: clean\n", m, h.ID)
		return cli.OK
	}
	fmt.Fprintf(stderr, "%s %s: %v\n", m, h.ID, err)
	switch {
	case errors.As(err, new(lostError)):
		return exitLost
	case errors.As(err, new(skipError)):
		return exitSkipped
	default:
		return cli.Failed
	}
}

// theHazard returns the one hazard that the arguments of a command name.
func theHazard(args []string) (hazard, error) {
	if len(args) != 1 {
		return hazard{}, fmt.Errorf("one hazard is wanted, not %d: the hazards are %s", len(args), idList())
	}
	return findHazard(args[0])
}
