package main

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"time"
)

// kernelSends is added to a group before the ZeroMQ context, and so is shut down after it. It waits until the peers' kernels
// have got what this one has taken, since the network of a container ends with its process 1, and what the kernel still has
// then is lost: LINGER ends when the kernel has it all, which is before the peer has.
type kernelSends struct{}

// Shutdown waits as long as lingers says: the peer may take nothing.
func (kernelSends) Shutdown(bound context.Context) error {
	d, _ := lingers.Duration()
	bound, cancel := context.WithTimeout(bound, d)
	defer cancel()
	for {
		unsent, err := kernelHolds()
		if !unsent || err != nil {
			return err
		}
		select {
		case <-bound.Done():
			slog.Warn("services: the kernel still has messages that a peer doesn't take; they are lost when the network of this container ends")
			return nil
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// kernelHolds tells whether there is a connection of this network, which is that of the container, that was closed here, and
// whose end the peer hasn't acknowledged. One that the peer has closed before doesn't count: nobody reads there any more.
func kernelHolds() (bool, error) {
	const finWait1 = "04"
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, err := os.ReadFile(file)
		if os.IsNotExist(err) { // no IPv6
			continue
		}
		if err != nil {
			return false, err
		}
		for line := range strings.Lines(string(table)) {
			// See proc_net_tcp in the kernel's documentation: number, local and remote address, state.
			if fields := strings.Fields(line); len(fields) > 3 && fields[3] == finWait1 {
				return true, nil
			}
		}
	}
	return false, nil
}
