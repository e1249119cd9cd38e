package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/zmqsafe/zmq-exit/internal/alone"
)

// aloneVariable is set in the environment of the process whose resolver doesn't
// answer.
const aloneVariable = "ZMQ_EXIT_DEMO_ALONE"

// resolvConf is what the kubelet writes for a pod, except for the address.
const resolvConf = `nameserver 127.0.0.1
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
`

// withSilentResolver runs program in a process of its own, on a network of its
// own, where the name server takes queries and answers none. asked returns when
// the first query has come. Nothing leaves the machine, and nothing on it
// changes.
func withSilentResolver(program func(asked func() error) error) error {
	if os.Getenv(aloneVariable) == "" {
		return runAlone()
	}
	server, err := silentResolver()
	if err != nil {
		return skipIfNotAllowed(err)
	}
	return program(func() error {
		_, _, err := server.ReadFrom(make([]byte, 512))
		return err
	})
}

// runAlone starts a process that is alone, and ends this one with its status.
func runAlone() error {
	cmd, err := programAgain(aloneVariable, "1")
	if err != nil {
		return err
	}
	cmd.Stdout = os.Stdout
	alone.Isolate(cmd)
	err = cmd.Run()
	if err != nil && !errors.As(err, new(interface{ ExitCode() int })) {
		return skipIfNotAllowed(err)
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		os.Exit(code)
	}
	return err
}

// skipIfNotAllowed returns a skipError if namespaces were refused.
func skipIfNotAllowed(err error) error {
	if !alone.NotAllowed(err) {
		return err
	}
	return skipError{fmt.Sprintf("it needs a user, a network and a mount namespace of its own (%v): "+
		"allow unprivileged user namespaces, or run the container with --privileged", err)}
}

// silentResolver makes 127.0.0.1 the name server of this process, which must be
// alone, and returns the server's socket.
func silentResolver() (net.PacketConn, error) {
	if err := alone.Enter(); err != nil {
		return nil, err
	}
	// The C library may also ask its cache daemon and systemd's resolver,
	// through sockets in this directory.
	if err := syscall.Mount("tmpfs", "/var/run", "tmpfs", 0, ""); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, os.NewSyscallError("mount", err)
	}
	if err := syscall.Mount("tmpfs", "/etc", "tmpfs", 0, ""); err != nil {
		return nil, os.NewSyscallError("mount", err)
	}
	for name, text := range map[string]string{"resolv.conf": resolvConf, "nsswitch.conf": "hosts: files dns\n"} {
		if err := os.WriteFile(filepath.Join("/etc", name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	return net.ListenPacket("udp", "127.0.0.1:53")
}
