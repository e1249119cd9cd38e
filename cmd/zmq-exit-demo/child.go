package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// maxStderr is how much of a child's standard error is kept: the abort line
// comes first, and Go's dump of many goroutines after it can be long.
const maxStderr = 64 << 10

// dumpTime is how long a child that missed its deadline may take to print its
// goroutines.
const dumpTime = 2 * time.Second

// runChild runs one program of a hazard in a process of its own, in a directory
// of its own, and says how it ended. env is added to its environment. The
// process and all it started are gone when runChild returns. An error means that
// there is nothing to say, because the process could not be run or ctx was
// cancelled.
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
	// "crash" would turn every Go crash into a SIGABRT.
	cmd.Env = append(append(os.Environ(), "GOTRACEBACK=all", preparedVariable+"="+h.prepared), env...)
	cmd.Stderr = stderr
	cmd.SysProcAttr = childAttributes()

	// Missing the deadline is what a hang is. SIGQUIT makes Go say where every
	// goroutine is; after dumpTime Wait kills the process.
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
	defer time.AfterFunc(deadline, end).Stop() // not before: a busy machine may take longer to start it
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
// be killed with all it started, and has it killed when the demo is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
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
