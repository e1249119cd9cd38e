package shutdown

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// childVariable names the program that the test binary is to be, instead of running tests.
const childVariable = "SHUTDOWN_TEST_PROGRAM"

func runProgram(name string) {
	program, ok := programs[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such program:", name)
		os.Exit(99)
	}
	program()
}

// child is a process that runs one of programs.
type child struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr bytes.Buffer
}

// start starts a program, which is killed after limit, and waits until it has
// printed a line for each of lines.
func start(t *testing.T, program string, lines ...string) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(bg, limit)
	t.Cleanup(cancel)
	c := &child{cmd: exec.CommandContext(ctx, os.Args[0])}
	c.cmd.Env = append(os.Environ(), childVariable+"="+program, "GORACE=atexit_sleep_ms=0")
	c.cmd.Stderr = &c.stderr
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.out = bufio.NewReader(out)
	require.NoError(t, c.cmd.Start())
	c.expect(t, lines...)
	return c
}

func (c *child) expect(t *testing.T, lines ...string) {
	t.Helper()
	for _, want := range lines {
		line, err := c.out.ReadString('\n')
		if err != nil || line != want+"\n" {
			_ = c.cmd.Wait()
			require.Equal(t, want+"\n", line, "%v\n%s", err, c.stderr.String())
		}
	}
}

func (c *child) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(sig))
}

// end waits until the process has ended, and checks its status: that of exit, or
// -1 when a signal has killed it. It returns the lines that were left to read.
func (c *child) end(t *testing.T, status int) []string {
	t.Helper()
	rest, err := io.ReadAll(c.out)
	require.NoError(t, err)
	_ = c.cmd.Wait()
	require.Equal(t, status, c.cmd.ProcessState.ExitCode(), "%v\n%s\n%s", c.cmd.ProcessState, rest, c.stderr.String())
	return strings.Split(strings.TrimSuffix(string(rest), "\n"), "\n")
}

// mainWith makes a program of Main, which prints ready when its set-up is done,
// stopping when it begins to stop, and closed at the very end.
func mainWith(setup func(g *Group) error) func() {
	return func() {
		Main(func(g *Group) error {
			g.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
			_ = g.Add("zmq", printing("closed"))
			if setup != nil {
				if err := setup(g); err != nil {
					return err
				}
			}
			fmt.Println("ready")
			return nil
		})
	}
}

// printWhenWaiting prints a line when the group has its signals and waits for a cause.
func printWhenWaiting(g *Group) {
	for waiting := false; !waiting; time.Sleep(time.Millisecond) {
		g.mu.Lock()
		waiting = g.waiting
		g.mu.Unlock()
	}
	fmt.Println("waiting")
}

func printing(text string) Func {
	return func(context.Context) error {
		fmt.Println(text)
		return nil
	}
}

func hang(context.Context) error {
	fmt.Println("hangs")
	select {}
}
