package main

import "syscall"

// childAttributes puts a child into a process group of its own, so that it can
// be killed with all it started, and has it killed when the demo is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
