package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// programAgain returns a command that runs this process's program once more, in a
// process of its own that is told so by a variable of its environment. That process
// stays in the group of this one, and ends when this one is killed. A SIGQUIT to the
// group has that process alone say where its goroutines are, so that the two don't
// write into each other's text.
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
