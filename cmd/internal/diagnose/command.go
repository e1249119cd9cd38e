package diagnose

import (
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

const usage = `Usage: $0 [flags] [FILE]

Reads a crash report from FILE, or from standard input if FILE is - or missing,
and names the hazard that it matches, why, and the remedy. A crash report is what
the crash left: the line that libzmq printed before it aborted, a backtrace (gdb,
glog, systemd-coredump), or the goroutines that Go printed. Other text around it
does no harm.

Exit status: 0 if a hazard matches, 1 if none does, 2 for wrong usage and for a
report that can't be read.

Flags:
`

// Command runs diagnose, under a name such as "zmq-exit diagnose".
func Command(name string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print JSON")
	release := flags.String("libzmq", "", "libzmq's `release`, such as 4.3.4, if the report doesn't tell")
	rest, status, done := cli.Parse(flags, usage, args, stdout, stderr)
	if done {
		return status
	}
	if err := CheckRelease(*release); err != nil { // before somebody pastes a report
		return cli.UsageError(stderr, name, err)
	}
	report, err := cli.Input(rest, "crash report", stdin, stderr)
	if err != nil {
		return cli.UsageError(stderr, name, err)
	}
	defer report.Close()
	verdict, err := Read(report, *release)
	if err != nil {
		return cli.UsageError(stderr, name, err)
	}
	if *asJSON {
		err = cli.WriteJSON(stdout, verdict)
	} else {
		_, err = fmt.Fprint(stdout, verdict)
		if verdict.Hazard != Unknown {
			program, _, _ := strings.Cut(name, " ")
			fmt.Fprintf(stdout, "\nWhat happens in libzmq: %s explain %s\n", program, verdict.Hazard)
		}
	}
	switch {
	case err != nil:
		return cli.Error(stderr, name, err)
	case verdict.Hazard == Unknown:
		return cli.Failed
	}
	return cli.OK
}
