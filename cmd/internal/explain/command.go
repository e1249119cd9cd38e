package explain

import (
	"flag"
	"fmt"
	"io"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

const usage = `Usage: $0 HAZARD

Says step by step what happens in libzmq, and what zmqsafe does instead.
`

// Command runs explain, under a name such as "zmq-exit explain".
func Command(name string, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	rest, status, done := cli.Parse(flags, usage, args, stdout, stderr)
	if done {
		return status
	}
	h, err := find(rest)
	if err != nil {
		return cli.UsageError(stderr, name, err)
	}
	fmt.Fprintf(stdout, "%s: %s\n\n%s", h.ID, h.Title, h.Explain)
	return cli.OK
}
