// Command zmq-exit-demo shows how ZeroMQ programs die, hang or lose messages
// when they end, and that the same programs end cleanly on zmqsafe.
//
// Each hazard is a pair of small programs, raw (on github.com/pebbe/zmq4) and
// guarded (on zmqsafe). The demo runs them many times, each time in a process of
// its own, and counts how they end.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const overview = `Usage:
  zmq-exit-demo [flags]              run every hazard, raw and guarded, and print a table
  zmq-exit-demo run HAZARD           run one program in this process, say under gdb
  zmq-exit-demo list                 list the hazards
  zmq-exit-demo explain HAZARD       what happens in libzmq, and what the guard does
  zmq-exit-demo diagnose [FILE]      name the hazard that a crash report matches
  zmq-exit-demo timeline HAZARD      draw how a guarded program closes its sockets

Every command has its own -h.
`

// The demo's exit statuses. A program run by "run" ends with exitLost when it
// worked but messages are missing, with exitFailed when it returned an error, with
// exitSkipped when this system doesn't let it do what it is to show.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitLost        = 3
	exitSkipped     = 4
	exitInterrupted = 130
)

func main() {
	stopRecording, err := startRecording(os.Getenv(recordVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, "zmq-exit-demo: recording:", err)
		os.Exit(exitFailed)
	}
	status := demo(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stopRecording()
	os.Exit(status)
}

func demo(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return measureCommand(args, stdout, stderr)
	}
	switch command, args := args[0], args[1:]; command {
	case "run":
		return runCommand(args, stdout, stderr)
	case "list":
		return listCommand(args, stdout, stderr)
	case "explain":
		return explainCommand(args, stdout, stderr)
	case "diagnose":
		return diagnoseCommand(args, stdin, stdout, stderr)
	case "timeline":
		return timelineCommand(args, stdout, stderr)
	default:
		fmt.Fprintf(stderr, "zmq-exit-demo: unknown command %q: the commands are run, list, explain, diagnose, timeline\n", command)
		return exitUsage
	}
}

// parse reads flags that may stand before and after the arguments, and returns
// the arguments. When done is true the command is over, with the given status:
// help was asked for, or the flags are wrong.
func parse(flags *flag.FlagSet, usage string, args []string, stdout, stderr io.Writer) (rest []string, status int, done bool) {
	flags.SetOutput(io.Discard)
	for {
		err := flags.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, usage)
			flags.SetOutput(stdout)
			flags.PrintDefaults()
			return nil, exitOK, true
		}
		if err != nil {
			return nil, usageError(stderr, flags.Name(), err), true
		}
		if flags.NArg() == 0 {
			return rest, exitOK, false
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// usageError reports wrong usage of a command and returns the status for it.
func usageError(stderr io.Writer, command string, err error) int {
	fmt.Fprintf(stderr, "%s: %v\nSee %s -h.\n", command, err, command)
	return exitUsage
}
