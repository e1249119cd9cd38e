// Command services has the programs that docker/stop.sh stops: a sender, a
// broker and a receiver, each raw (with github.com/pebbe/zmq4) and guarded
// (with zmqsafe). It also prints what they count.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/shutdown"
)

const overview = `Usage:
  services sender    send numbered messages, as many as the broker takes
  services broker    pass them on
  services receiver  receive them
  services counts    print what has become of them

Every command has its own -h.
`

const roleUsage = `Usage: %s [flags]

Runs until SIGTERM or Ctrl-C.

Flags:
`

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError says that a command was called in a wrong way.
type usageError struct{ error }

// commands define their flags and run. They return flag.ErrHelp after -h.
var commands = map[string]func(flags *flag.FlagSet, args []string, stdout io.Writer) error{
	"sender":   role{endpoints{out: "tcp://broker:5557"}, rawSender, guardedSender}.run,
	"broker":   role{endpoints{in: "tcp://*:5557", out: "tcp://*:5558"}, rawBroker, guardedBroker}.run,
	"receiver": role{endpoints{in: "tcp://broker:5558"}, rawReceiver, guardedReceiver}.run,
	"counts":   countsCommand,
}

func main() { os.Exit(services(os.Args[1:], os.Stdout, os.Stderr)) }

func services(args []string, stdout, stderr io.Writer) int {
	name, err := "services", error(nil)
	switch {
	case len(args) == 0:
		err = usageError{errors.New("a command is wanted: sender, broker, receiver or counts")}
	case args[0] == "-h" || args[0] == "-help" || args[0] == "--help":
		fmt.Fprint(stdout, overview)
	case commands[args[0]] == nil:
		err = usageError{fmt.Errorf("unknown command %q: the commands are sender, broker, receiver, counts", args[0])}
	default:
		name += " " + args[0]
		err = commands[args[0]](flag.NewFlagSet(name, flag.ContinueOnError), args[1:], stdout)
	}
	if err == nil || err == flag.ErrHelp {
		return exitOK
	}
	fmt.Fprintf(stderr, "%s: %v\n", name, err)
	if _, ok := err.(usageError); ok {
		fmt.Fprintf(stderr, "See %s -h.\n", name)
		return exitUsage
	}
	return exitFailed
}

// parse reads the flags of a command that takes no arguments.
func parse(flags *flag.FlagSet, usage string, args []string, stdout io.Writer) error {
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case err == flag.ErrHelp:
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	case err != nil:
		return usageError{err}
	case flags.NArg() > 0:
		return usageError{fmt.Errorf("no arguments are wanted, not %q", flags.Args())}
	}
	return nil
}

func countsFlag(flags *flag.FlagSet) *string {
	return flags.String("counts", "/counts", "keep what is counted in a `directory` that all services share")
}

// endpoints are where messages come from and where they go.
type endpoints struct{ in, out string }

type role struct {
	at      endpoints // unless flags say otherwise; as compose.yaml has them
	raw     func(stopped context.Context, ctx *zmq4.Context, at endpoints, c *counts) error
	guarded func(g *shutdown.Group, at endpoints, c *counts) error
}

func (r role) run(flags *flag.FlagSet, args []string, stdout io.Writer) error {
	mode := flags.String("mode", "guarded", "which `program`: raw (pebbe/zmq4) or guarded (zmqsafe)")
	dir := countsFlag(flags)
	if r.at.in != "" {
		flags.StringVar(&r.at.in, "in", r.at.in, "take messages at `endpoint`")
	}
	if r.at.out != "" {
		flags.StringVar(&r.at.out, "out", r.at.out, "send messages at `endpoint`")
	}
	if err := parse(flags, fmt.Sprintf(roleUsage, flags.Name()), args, stdout); err != nil {
		return err
	}
	if *mode != "raw" && *mode != "guarded" {
		return usageError{fmt.Errorf("unknown mode %q: the modes are raw and guarded", *mode)}
	}
	c, err := openCounts(*dir)
	if err != nil {
		return err
	}
	if *mode == "guarded" {
		slog.SetLogLoggerLevel(slog.LevelDebug)                                       // shows what a stop does, and when
		shutdown.Main(func(g *shutdown.Group) error { return r.guarded(g, r.at, c) }) // doesn't return
	}
	stopped, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	return r.raw(stopped, ctx, r.at, c)
}
