package zmqsafe

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// GetFd returns a descriptor that becomes readable when the state of the socket
// may have changed (ZMQ_FD). Like libzmq's own it is edge-triggered: read
// GetEvents after it was signalled and after each send and receive. See
// https://api.zeromq.org/4-3:zmq-getsockopt under ZMQ_FD.
//
// It is a duplicate, so closing it does no harm, by accident (os.NewFile and the
// garbage collector) or otherwise; with raw that aborts the process. It need not
// be closed: it belongs to the socket, and goes with it if it is still open.
// Calls return the same descriptor as long as that is open.
func (soc *Socket) GetFd() (fd int, err error) {
	err = soc.call(func(s *socketState) error {
		own, err := s.raw.GetFd()
		if err != nil {
			return err
		}
		if s.dup < 0 || !sameEventfd(s.dup, own) {
			dup, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(own), syscall.F_DUPFD_CLOEXEC, 0)
			if errno != 0 {
				return fmt.Errorf("zmqsafe: GetFd: %w", os.NewSyscallError("fcntl", errno))
			}
			s.dup = int(dup)
		}
		fd = s.dup
		return nil
	})
	return fd, err
}

// releaseDup closes the duplicate unless the program has done so: its number may
// be somebody else's by now. The caller holds mu, and libzmq's own is open.
func (s *socketState) releaseDup() {
	if s.dup < 0 {
		return
	}
	if own, err := s.raw.GetFd(); err == nil && sameEventfd(s.dup, own) {
		_ = syscall.Close(s.dup)
	}
	s.dup = -1
}

// sameEventfd reports whether two descriptors are the same eventfd, which is
// what libzmq makes on Linux. Where the kernel doesn't number them (before 5.2)
// the answer is no.
func sameEventfd(a, b int) bool {
	id := eventfdID(a)
	return id != "" && id == eventfdID(b)
}

func eventfdID(fd int) string {
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(info)) {
		if id, found := strings.CutPrefix(line, "eventfd-id:"); found {
			return strings.TrimSpace(id)
		}
	}
	return ""
}
