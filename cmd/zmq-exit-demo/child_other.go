//go:build !linux

package main

import "syscall"

// childAttributes puts a child into a process group of its own, so that it can
// be killed with all it started.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
