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

// aloneVariable is set in the environment of the process that has a resolver which
// doesn't answer.
const aloneVariable = "ZMQ_EXIT_DEMO_ALONE"

// How the kubelet configures the resolver of a pod, but for the address.
const resolvConf = `nameserver 127.0.0.1
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
`

// withSilentResolver runs program in a process of its own, on a network of its own,
// where the name server takes queries and answers none. asked returns when the first
// query has come. Nothing leaves the machine, and nothing of it is changed.
func withSilentResolver(program func(asked func() error) error) error {
	if os.Getenv(aloneVariable) == "" {
		return runAlone()
	}
	server, err := silentResolver()
	if alone.NotAllowed(err) {
		return needsNamespaces(err)
	}
	if err != nil {
		return err
	}
	return program(func() error {
		_, _, err := server.ReadFrom(make([]byte, 512))
		return err
	})
}

// runAlone ends this process as the one ended that it starts.
func runAlone() error {
	cmd, err := programAgain(aloneVariable, "1")
	if err != nil {
		return err
	}
	cmd.Stdout = os.Stdout
	alone.Isolate(cmd)
	err = cmd.Run()
	if alone.NotAllowed(err) {
		return needsNamespaces(err)
	}
	if err != nil && !errors.As(err, new(interface{ ExitCode() int })) {
		return err
	}
	if code := cmd.ProcessState.ExitCode(); code >= 0 {
		os.Exit(code)
	}
	return err
}

func needsNamespaces(err error) error {
	return skipError{fmt.Sprintf("it needs a user, a network and a mount namespace of its own (%v): "+
		"allow unprivileged user namespaces, or run the container with --privileged", err)}
}

// silentResolver makes 127.0.0.1 the name server of this process, which has to be
// alone, and returns its socket.
func silentResolver() (net.PacketConn, error) {
	if err := alone.Enter(); err != nil {
		return nil, err
	}
	// What else libc may ask: its cache daemon, and systemd's resolver, by way of
	// sockets in here.
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
