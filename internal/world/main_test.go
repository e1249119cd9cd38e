package world

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// childVariable is set in the environment of the tests' child processes.
const childVariable = "ZMQ_EXIT_WORLD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		slog.SetDefault(slog.New(slog.DiscardHandler))
		if err := Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// startChild starts a child process, whose log lines go nowhere.
func startChild() (*Child, error) {
	command := exec.Command(os.Args[0])
	command.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ZMQSAFE_") }), childVariable+"=1", "GORACE=atexit_sleep_ms=0")
	return StartChild(command)
}
