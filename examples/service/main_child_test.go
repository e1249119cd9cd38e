package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// child is a process that runs one of programs.
type child struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	stderr *bufio.Reader
	logged strings.Builder // what was read of stderr
}

// start starts a program, which is killed after limit.
func start(t *testing.T, program string, args ...string) *child {
	t.Helper()
	return startWith(t, program, nil, args...)
}

func startWith(t *testing.T, program string, stdin io.Reader, args ...string) *child {
	t.Helper()
	bound, cancel := context.WithTimeout(context.Background(), limit)
	c := &child{cmd: exec.CommandContext(bound, os.Args[0], args...)}
	c.cmd.Env = append(os.Environ(), programVariable+"="+program, "GORACE=atexit_sleep_ms=0") // which would sleep a second
	c.cmd.Stdin = stdin
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	stderr, err := c.cmd.StderrPipe()
	require.NoError(t, err)
	c.out, c.stderr = bufio.NewReader(out), bufio.NewReader(stderr)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = c.cmd.Wait() // unless the test has called it
	})
	return c
}

// says waits for a line on standard output.
func (c *child) says(t *testing.T, want string) {
	t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		_, _ = io.Copy(&c.logged, c.stderr)
	}
	require.Equal(t, want+"\n", line, "%v\n%s", err, &c.logged)
}

// logs waits for a line with text on standard error, and returns it.
func (c *child) logs(t *testing.T, text string) string {
	t.Helper()
	for {
		line, err := c.stderr.ReadString('\n')
		c.logged.WriteString(line)
		require.NoError(t, err, "before %q: %s", text, &c.logged)
		if strings.Contains(line, text) {
			return line
		}
	}
}

func (c *child) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(sig))
}

// insist sends a signal until end has seen the process end: the same signal
// within 100 ms would be one, and on a busy machine it may be later than that
// when the second one arrives.
func (c *child) insist(sig syscall.Signal) {
	for c.cmd.Process.Signal(sig) == nil {
		time.Sleep(100 * time.Millisecond)
	}
}

// end waits until the process has ended, checks its status, and returns the
// time.
func (c *child) end(t *testing.T, status int) time.Time {
	t.Helper()
	rest, err := io.ReadAll(c.out)
	require.NoError(t, err)
	_, err = io.Copy(&c.logged, c.stderr)
	require.NoError(t, err)
	_ = c.cmd.Wait()
	ended := time.Now()
	require.Equal(t, status, c.cmd.ProcessState.ExitCode(), "%v\n%s\n%s", c.cmd.ProcessState, rest, &c.logged)
	return ended
}
