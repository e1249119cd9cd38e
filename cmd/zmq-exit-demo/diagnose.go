package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/zmqsafe/zmq-exit/cmd/zmq-exit-demo/internal/diagnose"
)

const diagnoseUsage = `Usage: zmq-exit-demo diagnose [flags] [FILE]

Reads a crash report from FILE, or from standard input when FILE is - or missing,
and names the hazard that it matches, why, and the remedy. A report is what the
crash left: the line that libzmq printed before it aborted, a backtrace (gdb, glog,
systemd-coredump), or the goroutines that Go printed. Text around it does no harm.

The exit status is 0 when a hazard matches, 1 when none does, 2 for wrong usage and
for a report that can't be read.

Flags:
`

func diagnoseCommand(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	const name = "zmq-exit-demo diagnose"
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print JSON")
	release := flags.String("libzmq", "", "libzmq's `release`, such as 4.3.4, where the report doesn't tell")
	rest, status, done := parse(flags, diagnoseUsage, args, stdout, stderr)
	if done {
		return status
	}
	if len(rest) > 1 {
		return usageError(stderr, name, fmt.Errorf("one file is wanted, not %q", rest))
	}
	if err := diagnose.CheckRelease(*release); err != nil { // before a person pastes a report
		return usageError(stderr, name, err)
	}

	report := stdin
	if len(rest) == 1 && rest[0] != "-" {
		file, err := os.Open(rest[0])
		if err != nil {
			return usageError(stderr, name, err)
		}
		defer file.Close()
		report = file
	} else if isTerminal(stdin) {
		fmt.Fprintln(stderr, "Paste the crash report, then press Ctrl-D on a line of its own.")
	}

	verdict, err := diagnose.Read(report, *release)
	if err != nil {
		return usageError(stderr, name, err)
	}
	if *asJSON {
		status = printJSON(stdout, stderr, verdict)
	} else {
		fmt.Fprint(stdout, verdict)
		if _, err := theHazard([]string{verdict.Hazard}); err == nil {
			fmt.Fprintf(stdout, "\nWhat happens in libzmq: zmq-exit-demo explain %s\n", verdict.Hazard)
		}
	}
	if status == exitOK && verdict.Hazard == diagnose.Unknown {
		return exitFailed
	}
	return status
}
