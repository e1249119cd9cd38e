package timeline

import (
	"flag"
	"fmt"
	"io"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

const usage = `Usage: $0 [-svg FILE] [REPORT]

Draws how a program closed its ZeroMQ contexts. REPORT is a file with the closing
report of one context or of several; if it is - or missing, standard input is read. A
program on zmqsafe writes a report for each context that it closes if ZMQSAFE_REPORT is
set in its environment:

  ZMQSAFE_REPORT=report.json ./program
  $0 report.json

A closing report is what Context.Report of zmqsafe returns, as JSON.

` + Legend + `
Exit status: 0 if the chart was drawn, 1 if REPORT is no closing report, 2 for wrong
usage and for a file that can't be read or written.

Flags:
`

// Legend explains a chart, for the help of commands.
const Legend = `The chart has a bar for each socket, with the steps of the close above, and the
deadline. If the life before was much longer than the close, the axis is broken and
each part has its own scale. Sockets beyond the first few of many share a bar.

  open        from its creation
  woken       receives, sends and polls that waited were ended; the context ends those
              of all sockets first
  closing     new calls fail; its zmq_close is due
  lingering   after zmq_close: libzmq sends what is left, or has yet to release it
  gone        libzmq has released it

It is as wide as the terminal, or as COLUMNS says; without a terminal, 100 columns.
`

// SVGFlag defines the flag that says where the picture goes, for [Chart.Draw].
func SVGFlag(flags *flag.FlagSet) *string {
	return flags.String("svg", "", "write a picture to `file`, or to standard output if it is -")
}

// Command runs timeline, under a name such as "zmq-exit timeline".
func Command(name string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	picture := SVGFlag(flags)
	rest, status, done := cli.Parse(flags, usage, args, stdout, stderr)
	if done {
		return status
	}
	input, err := cli.Input(rest, "closing report", stdin, stderr)
	if err != nil {
		return cli.UsageError(stderr, name, err)
	}
	defer input.Close()
	text, err := io.ReadAll(input)
	if err != nil {
		return cli.UsageError(stderr, name, err)
	}
	source := "standard input"
	if len(rest) > 0 && rest[0] != "-" {
		source = rest[0]
	}
	reports, err := Parse(text)
	if err != nil {
		return cli.Error(stderr, name, fmt.Errorf("%s: %w", source, err))
	}
	if err := (Chart{Title: "Closing report", Subtitle: source, Reports: reports}).Draw(*picture, stdout); err != nil {
		return cli.UsageError(stderr, name, err)
	}
	return cli.OK
}
