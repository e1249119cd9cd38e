package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// maxStderr is how much of a child's standard error is kept. The abort line
// comes first; Go's dump of many goroutines after it can be long.
const maxStderr = 64 << 10

// dumpTime is how long a child that missed its deadline may take to print its
// goroutines.
const dumpTime = 2 * time.Second

// runChild runs one program of a hazard in a process of its own, in a directory
// of its own, and tells how it ended. env is added to its environment. When
// runChild returns, the process and everything it started are gone. It fails
// only if the process can't be run or ctx is cancelled.
func runChild(ctx context.Context, h hazard, m mode, deadline time.Duration, env ...string) (result, error) {
	if h.missing != "" {
		return result{Outcome: skipped, Reason: h.missing}, nil
	}
	executable, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	dir, err := os.MkdirTemp("", "zmq-exit-demo-"+h.ID+"-")
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(dir)

	bounded, end := context.WithCancel(ctx)
	defer end()
	stderr := &head{limit: maxStderr}
	cmd := exec.CommandContext(bounded, executable, "run", h.ID, "-mode", string(m))
	cmd.Dir = dir
	// GOTRACEBACK=crash would turn every Go crash into a SIGABRT.
	cmd.Env = append(append(os.Environ(), "GOTRACEBACK=all", preparedVariable+"="+h.prepared), env...)
	cmd.Stderr = stderr
	cmd.SysProcAttr = childAttributes()

	// A child that misses its deadline hangs. SIGQUIT makes Go print where
	// every goroutine is; after dumpTime Wait kills the process.
	hung := false
	cmd.Cancel = func() error {
		if ctx.Err() != nil {
			return killGroup(cmd.Process.Pid, syscall.SIGKILL)
		}
		err := killGroup(cmd.Process.Pid, syscall.SIGQUIT)
		hung = err == nil
		return err
	}
	cmd.WaitDelay = dumpTime

	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	defer time.AfterFunc(deadline, end).Stop() // not before: a busy machine may be slow to start it
	err = cmd.Wait()
	killGroup(cmd.Process.Pid, syscall.SIGKILL) // what the child started and left behind
	switch exit := (*exec.ExitError)(nil); {
	case ctx.Err() != nil:
		return result{}, ctx.Err()
	case hung:
		return result{Outcome: hang, Stderr: stderr.String()}, nil
	case err != nil && !errors.As(err, &exit):
		return result{}, err
	}
	return classify(cmd.ProcessState.Sys().(syscall.WaitStatus), stderr.String()), nil
}

// childAttributes puts a child into a process group of its own, so that it can
// be killed with everything it started, and has it killed when the demo is.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// programAgain returns a command that runs this process's program once more, in
// a process of its own whose environment has the variable. That process stays
// in the group of this one, and is killed when this one is. Of the two, only
// the new process obeys a SIGQUIT to the group, so they don't write their
// goroutines into each other's text.
func programAgain(variable, value string) (*exec.Cmd, error) {
	executable, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(executable, os.Args[1:]...)
	cmd.Env = append(os.Environ(), variable+"="+value)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	signal.Ignore(syscall.SIGQUIT)
	return cmd, nil
}

func killGroup(pid int, signal syscall.Signal) error {
	err := syscall.Kill(-pid, signal)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// noCoreDumps keeps the crashes of child processes, which inherit the limit,
// from filling the disk.
func noCoreDumps() error {
	return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
}

// head is a writer that keeps the beginning of what is written to it.
type head struct {
	limit int
	kept  []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.kept = append(h.kept, p[:min(len(p), h.limit-len(h.kept))]...)
	return len(p), nil
}

func (h *head) String() string { return string(h.kept) }
