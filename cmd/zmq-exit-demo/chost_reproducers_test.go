package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/internal/diagnose"
)

// The header of a reproducer in C has its verdict: "clean", or "abort" and the
// function of libzmq.
var verdictLine = regexp.MustCompile(`(?m)^ \* Verdict: (?:(clean)|abort, (\w+::\w+))$`)

// TestCReproducers shows that the hazards are in libzmq and not in Go: each
// program in testdata/c ends as its header says.
func TestCReproducers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: the reproducers in C expect epoll, which only Linux has")
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "testdata", "c", "*.c"))
	require.NoError(t, err)
	require.NotEmpty(t, sources)
	for _, source := range sources {
		t.Run(filepath.Base(source), func(t *testing.T) {
			function := verdictOf(t, source)
			program := compileC(t, source)
			for run := range 5 {
				t.Run(fmt.Sprint(run), func(t *testing.T) {
					t.Parallel()
					state, output := runC(t, program)
					if function != "" {
						requireAbortIn(t, function, state, output)
						return
					}
					assert.True(t, state.Success(), "%v\n%s", state, output)
					assert.Empty(t, output)
				})
			}
		})
	}
}

// verdictOf returns the function of libzmq in which a reproducer aborts, and ""
// for one that is clean.
func verdictOf(t *testing.T, source string) (function string) {
	t.Helper()
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	verdict := verdictLine.FindSubmatch(text)
	require.NotNil(t, verdict, "the header has no verdict")
	return string(verdict[2])
}

// compileC builds a program with the compiler and the flags that cgo uses.
func compileC(t *testing.T, source string) (program string) {
	t.Helper()
	flags, err := exec.Command(cmp.Or(os.Getenv("PKG_CONFIG"), "pkg-config"), "--cflags", "--libs", "libzmq").Output()
	require.NoError(t, err)
	program = filepath.Join(t.TempDir(), "program")
	args := append([]string{"-g", "-Wall", "-Wextra", "-Werror", "-o", program, source}, strings.Fields(string(flags))...)
	output, err := exec.Command(cmp.Or(os.Getenv("CC"), "cc"), args...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return program
}

// runC runs a command, which must end by itself, and leaves no core file.
func runC(t *testing.T, command ...string) (state *os.ProcessState, output string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // valgrind is slow, and so may the machine be
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `ulimit -c 0; exec "$0" "$@"`}, command...)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	_ = cmd.Run() // the state says how it ended
	require.NoError(t, ctx.Err(), "it did not end by itself")
	require.NotNil(t, cmd.ProcessState, "it did not start")
	return cmd.ProcessState, out.String()
}

func requireAbortIn(t *testing.T, function string, state *os.ProcessState, output string) {
	t.Helper()
	status := state.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGABRT, "%v\n%s", state, output)
	verdict := requireFdSweep(t, output)
	assert.True(t, slices.ContainsFunc(verdict.Functions, func(f diagnose.Function) bool { return f.Name == function }),
		"%s\n%s", output, verdict)
}

// requireFdSweep is for what libzmq says before it aborts.
func requireFdSweep(t *testing.T, output string) diagnose.Verdict {
	t.Helper()
	major, minor, patch := zmq4.Version()
	verdict, err := diagnose.Read(strings.NewReader(output), fmt.Sprintf("%d.%d.%d", major, minor, patch))
	require.NoError(t, err)
	require.Equal(t, "fd-sweep", verdict.Hazard, output)
	return verdict
}
