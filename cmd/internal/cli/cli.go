// Package cli has what the commands share: flags, input and output.
//
// A command writes its result to standard output and everything else to
// standard error, and returns its exit status.
package cli

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// Exit statuses of all commands.
const (
	OK     = 0
	Failed = 1
	Usage  = 2 // wrong usage, or a file that can't be opened
)

// Parse reads flags, which may stand before and after the arguments, and
// returns the arguments. If done is true, the command must end with the status:
// help was asked for, or a flag is wrong. In the usage, $0 stands for the name
// of the command, which is that of the flag set.
func Parse(flags *flag.FlagSet, usage string, args []string, stdout, stderr io.Writer) (rest []string, status int, done bool) {
	flags.SetOutput(io.Discard)
	for {
		err := flags.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, strings.ReplaceAll(usage, "$0", flags.Name()))
			flags.SetOutput(stdout)
			flags.PrintDefaults()
			return nil, OK, true
		}
		if err != nil {
			return nil, UsageError(stderr, flags.Name(), err), true
		}
		if flags.NArg() == 0 {
			return rest, OK, false
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

// UsageError reports wrong usage of a command and returns the status for it.
func UsageError(stderr io.Writer, command string, err error) int {
	fmt.Fprintf(stderr, "%s: %v\nSee %s -h.\n", command, err, command)
	return Usage
}

// Error reports what went wrong and returns the status for it.
func Error(stderr io.Writer, command string, err error) int {
	fmt.Fprintf(stderr, "%s: %v\n", command, err)
	return Failed
}

// Input opens the file that the arguments of a command name. It returns
// standard input if they name none or "-", and asks for what there if that is a
// terminal.
func Input(args []string, what string, stdin io.Reader, stderr io.Writer) (io.ReadCloser, error) {
	switch {
	case len(args) > 1:
		return nil, fmt.Errorf("one file is wanted, not %q", args)
	case len(args) == 1 && args[0] != "-":
		return os.Open(args[0])
	case IsTerminal(stdin):
		fmt.Fprintf(stderr, "Paste the %s, then press Ctrl-D on a line of its own.\n", what)
	}
	return io.NopCloser(stdin), nil
}

// WriteJSON writes v as indented JSON.
func WriteJSON(stdout io.Writer, v any) error {
	encoder := json.NewEncoder(stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
