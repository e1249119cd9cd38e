package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"
)

const listUsage = `Usage: zmq-exit-demo list [-json]

Lists the hazards, one a line.

Flags:
`

const explainUsage = `Usage: zmq-exit-demo explain HAZARD

Says what happens in libzmq step by step, and what the guard does instead.
`

func listCommand(args []string, stdout, stderr io.Writer) int {
	const name = "zmq-exit-demo list"
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	asJSON := flags.Bool("json", false, "print JSON, explanations included")
	rest, status, done := parse(flags, listUsage, args, stdout, stderr)
	if done {
		return status
	}
	if len(rest) > 0 {
		return usageError(stderr, name, fmt.Errorf("no arguments are wanted, not %q", rest))
	}

	if *asJSON {
		return printJSON(stdout, stderr, hazards)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 3, ' ', 0)
	for _, h := range hazards {
		fmt.Fprintf(w, "%s\t%s\n", h.ID, h.Title)
	}
	w.Flush()
	return exitOK
}

func explainCommand(args []string, stdout, stderr io.Writer) int {
	const name = "zmq-exit-demo explain"
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	rest, status, done := parse(flags, explainUsage, args, stdout, stderr)
	if done {
		return status
	}
	h, err := theHazard(rest)
	if err != nil {
		return usageError(stderr, name, err)
	}
	fmt.Fprintf(stdout, "%s: %s\n\n%s", h.ID, h.Title, h.Explain)
	return exitOK
}

func printJSON(stdout, stderr io.Writer, v any) int {
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		fmt.Fprintln(stderr, "zmq-exit-demo:", err)
		return exitFailed
	}
	return exitOK
}
