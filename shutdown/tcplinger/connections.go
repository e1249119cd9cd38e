package tcplinger

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// connection is a line of the kernel's tables. Addresses are as they stand
// there: ADDRESS:PORT, in hexadecimal.
type connection struct {
	local, remote string
	state         string
	unsent        uint64 // bytes that the peer has not acknowledged, with an end as one of them
	inode         string // of the socket; 0 if no process has it any more
}

// Values of connection.state, as in include/net/tcp_states.h of the kernel.
const (
	established = "01"
	finWait1    = "04"
	closeWait   = "08"
	lastAck     = "09"
	listening   = "0A"
	closing     = "0B"
)

// connections returns all of the network that the process is in: none on a
// system that doesn't say.
func connections() (all []connection, err error) {
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		table, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) { // no IPv6, or not Linux
			continue
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(table)) {
			// Fields, as in proc_net_tcp of the kernel's documentation: number,
			// local address, remote address, state, tx_queue:rx_queue, timer,
			// retransmissions, user, timeout, inode.
			fields := strings.Fields(line)
			if len(fields) < 10 {
				continue
			}
			queue, _, _ := strings.Cut(fields[4], ":")
			unsent, err := strconv.ParseUint(queue, 16, 64)
			if err != nil { // the head of the table
				continue
			}
			all = append(all, connection{fields[1], fields[2], fields[3], unsent, fields[9]})
		}
	}
	return all, nil
}

// name tells a connection from all others of the network.
func (c connection) name() string { return c.local + " " + c.remote }

// isClosed reports whether the program has closed the connection, and the peer
// hasn't acknowledged that.
func (c connection) isClosed() bool {
	return c.state == finWait1 || c.state == lastAck || c.state == closing
}

// undelivered reports whether data is lost if the network ends now.
func (c connection) undelivered() bool {
	switch {
	case c.isClosed():
		return c.unsent > 1 // more than the end
	case c.state == established || c.state == closeWait:
		return c.unsent > 0
	}
	return false
}
