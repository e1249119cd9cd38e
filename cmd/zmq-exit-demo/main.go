// Command zmq-exit-demo shows how ZeroMQ programs die, hang or lose messages
// when they end, and that the same programs end cleanly on zmqsafe:
//
//	zmq-exit-demo                          runs every hazard and prints a table
//	zmq-exit-demo explain fd-sweep         says what happens in libzmq
//	zmq-exit-demo run fd-sweep -mode raw   runs one program, say under gdb
//
// Each hazard is a pair of small programs, raw (on github.com/pebbe/zmq4) and
// guarded (on zmqsafe). The demo runs them many times, each time in a process
// of its own, and counts how they end.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
	"github.com/zmqsafe/zmq-exit/cmd/internal/diagnose"
	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
)

const overview = `Usage:
  zmq-exit-demo [flags]              run every hazard, raw and guarded, and print a table
  zmq-exit-demo run HAZARD           run one program in this process, say under gdb
  zmq-exit-demo list                 list the hazards
  zmq-exit-demo explain HAZARD       say what happens in libzmq, and what zmqsafe does
  zmq-exit-demo diagnose [FILE]      name the hazard that a crash report matches
  zmq-exit-demo timeline HAZARD      draw how a guarded program closed its contexts

Every command has its own -h. The command zmq-exit has diagnose, explain, and timeline
for any program, and needs no libzmq.
`

// Exit statuses besides those of package cli. A program run by "run" ends with
// exitLost if it worked but messages are missing, and with exitSkipped if this
// system lacks something that it needs.
const (
	exitLost        = 3
	exitSkipped     = 4
	exitInterrupted = 130
)

func main() {
	os.Exit(demo(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
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
		return explain.Command("zmq-exit-demo explain", args, stdout, stderr)
	case "diagnose":
		return diagnose.Command("zmq-exit-demo diagnose", args, stdin, stdout, stderr)
	case "timeline":
		return timelineCommand(args, stdout, stderr)
	default:
		return cli.UsageError(stderr, "zmq-exit-demo", fmt.Errorf("unknown command %q: the commands are run, list, explain, diagnose, timeline", command))
	}
}
