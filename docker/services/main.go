// Command services is what docker/stop.sh stops: a sender, a broker and a receiver, each raw (on github.com/pebbe/zmq4) and
// guarded (on zmqsafe), and what they count.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/zmqsafe/zmq-exit/shutdown"
)

const overview = `Usage:
  services sender    send numbered messages, as many as the broker takes
  services broker    pass them on
  services receiver  receive them
  services counts    print what has become of them

Every command has its own -h.
`

const roleUsage = `Usage: services %s [flags]

Runs until SIGTERM or Ctrl-C.

Flags:
`

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// endpoints are where messages come from and where they go.
type endpoints struct{ in, out string }

type role struct {
	defaults endpoints // as compose.yaml has them
	raw      func(endpoints, *counts) error
	guarded  func(*shutdown.Group, endpoints, *counts) error
}

var roles = map[string]role{
	"sender":   {endpoints{out: "tcp://broker:5557"}, rawSender, guardedSender},
	"broker":   {endpoints{in: "tcp://*:5557", out: "tcp://*:5558"}, rawBroker, guardedBroker},
	"receiver": {endpoints{in: "tcp://broker:5558"}, rawReceiver, guardedReceiver},
}

func main() { os.Exit(services(os.Args[1:], os.Stdout, os.Stderr)) }

func services(args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		return usageError(stderr, "services", errors.New("a command is wanted: sender, broker, receiver or counts"))
	}
	name, args := args[0], args[1:]
	if r, ok := roles[name]; ok {
		return r.run(name, args, stdout, stderr)
	}
	switch name {
	case "counts":
		return countsCommand(args, stdout, stderr)
	case "-h", "-help", "--help":
		fmt.Fprint(stdout, overview)
		return exitOK
	default:
		return usageError(stderr, "services", fmt.Errorf("unknown command %q: the commands are sender, broker, receiver, counts", name))
	}
}

func (r role) run(name string, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("services "+name, flag.ContinueOnError)
	mode := flags.String("mode", "guarded", "which `program`: raw (pebbe/zmq4) or guarded (zmqsafe)")
	dir := countsFlag(flags)
	at := r.defaults
	if at.in != "" {
		flags.StringVar(&at.in, "in", at.in, "take messages at `endpoint`")
	}
	if at.out != "" {
		flags.StringVar(&at.out, "out", at.out, "send messages at `endpoint`")
	}
	if status, done := parse(flags, fmt.Sprintf(roleUsage, name), args, stdout, stderr); done {
		return status
	}
	if *mode != "raw" && *mode != "guarded" {
		return usageError(stderr, flags.Name(), fmt.Errorf("unknown mode %q: the modes are raw and guarded", *mode))
	}
	c, err := openCounts(*dir)
	if err != nil {
		return failed(stderr, flags.Name(), err)
	}
	if *mode == "guarded" {
		slog.SetLogLoggerLevel(slog.LevelDebug)                                     // shows what a stop does, and when
		shutdown.Main(func(g *shutdown.Group) error { return r.guarded(g, at, c) }) // doesn't return
	}
	if err := r.raw(at, c); err != nil {
		return failed(stderr, flags.Name(), err)
	}
	return exitOK
}

func countsFlag(flags *flag.FlagSet) *string {
	return flags.String("counts", "/counts", "keep what is counted in a `directory` that all services share")
}

// parse reads the flags of a command that takes no arguments. When done is true the command is over, with the given status.
func parse(flags *flag.FlagSet, usage string, args []string, stdout, stderr io.Writer) (status int, done bool) {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return exitOK, true
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("no arguments are wanted, not %q", flags.Args())
	}
	if err != nil {
		return usageError(stderr, flags.Name(), err), true
	}
	return exitOK, false
}

func usageError(stderr io.Writer, command string, err error) int {
	fmt.Fprintf(stderr, "%s: %v\nSee %s -h.\n", command, err, command)
	return exitUsage
}

func failed(stderr io.Writer, command string, err error) int {
	fmt.Fprintf(stderr, "%s: %v\n", command, err)
	return exitFailed
}
