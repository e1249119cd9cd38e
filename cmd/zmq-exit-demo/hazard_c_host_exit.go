package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
)

var cHostExit = hazard{
	Hazard:  explain.Hazards["c-host-exit"],
	Raw:     func() error { return becomeCHost(raw) },
	Guarded: func() error { return becomeCHost(guarded) },
	Prepare: buildCHosts,
}

// becomeCHost replaces this process by one of the programs of buildCHosts.
func becomeCHost(m mode) error {
	endpoint, err := closedPort()
	if err != nil {
		return err
	}
	dir := os.Getenv(preparedVariable)
	config := filepath.Join(dir, fmt.Sprintf("reports.%d.conf", os.Getpid()))
	if err := os.WriteFile(config, []byte(endpoint+"\n"), 0o600); err != nil {
		return err
	}
	program := filepath.Join(dir, string(m), "host")
	return &os.PathError{Op: "exec", Path: program, Err: syscall.Exec(program, []string{program, config}, os.Environ())}
}
