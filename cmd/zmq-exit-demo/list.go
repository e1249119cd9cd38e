package main

import (
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

const listUsage = `Usage: $0 [-json]

Lists the hazards, one a line.

Flags:
`

func listCommand(args []string, stdout, stderr io.Writer) int {
	const name = "zmq-exit-demo list"
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print JSON, explanations included")
	rest, status, done := cli.Parse(flags, listUsage, args, stdout, stderr)
	if done {
		return status
	}
	if len(rest) > 0 {
		return cli.UsageError(stderr, name, fmt.Errorf("no arguments are wanted, not %q", rest))
	}

	if *asJSON {
		if err := cli.WriteJSON(stdout, hazards); err != nil {
			return cli.Error(stderr, name, err)
		}
		return cli.OK
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', 0)
	for _, h := range hazards {
		fmt.Fprintf(w, "%s\t%s\n", h.ID, h.Title)
	}
	w.Flush()
	return cli.OK
}
