// Command zmq-exit helps with Go programs that use ZeroMQ and crash, hang or
// lose messages when they end:
//
//	zmq-exit diagnose [FILE]     names the hazard behind a crash, and the remedy
//	zmq-exit explain HAZARD      says what happens in libzmq
//	zmq-exit timeline [REPORT]   draws how a program closed its contexts
//
// Give diagnose what the crash left: the line that libzmq printed, a backtrace,
// or the goroutines that Go printed. A program that uses package zmqsafe writes
// the report for timeline if ZMQSAFE_REPORT=FILE is set in its environment.
//
// To install it, you need Go and nothing else, not even libzmq:
//
//	go install github.com/zmqsafe/zmq-exit/cmd/zmq-exit@latest
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
	"github.com/zmqsafe/zmq-exit/cmd/internal/diagnose"
	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
	"github.com/zmqsafe/zmq-exit/cmd/internal/timeline"
)

const overview = `Usage:
  zmq-exit diagnose [FILE]      name the hazard that a crash report matches, and the remedy
  zmq-exit explain HAZARD       say what happens in libzmq, and what zmqsafe does
  zmq-exit timeline [REPORT]    draw how a program closed its ZeroMQ contexts

Every command has its own -h.
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, overview)
		return cli.Usage
	}
	switch command, args := args[0], args[1:]; command {
	case "diagnose":
		return diagnose.Command("zmq-exit diagnose", args, stdin, stdout, stderr)
	case "explain":
		return explain.Command("zmq-exit explain", args, stdout, stderr)
	case "timeline":
		return timeline.Command("zmq-exit timeline", args, stdin, stdout, stderr)
	case "-h", "-help", "--help", "help":
		fmt.Fprint(stdout, overview)
		return cli.OK
	default:
		return cli.UsageError(stderr, "zmq-exit", fmt.Errorf("unknown command %q: the commands are diagnose, explain, timeline", command))
	}
}
