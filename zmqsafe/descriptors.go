package zmqsafe

import (
	"fmt"
	"strings"
	"syscall"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/waker"
)

// GetFd returns a descriptor that becomes readable when the state of the socket
// may have changed (ZMQ_FD). Like libzmq's own it is for poll, select and
// epoll, and edge-triggered: call [Socket.GetEvents] when it is signalled, and
// after each send and receive. See https://api.zeromq.org/4-3:zmq-getsockopt,
// ZMQ_FD.
//
// The descriptor is not libzmq's but stands in for it (an epoll descriptor that
// watches it), so closing it does no harm, even by accident ([os.NewFile] and
// the garbage collector); with pebbe/zmq4 that aborts the process. As long as
// it is open, further calls return the same one. It fails with EMFILE if there
// is no descriptor left.
//
// The program may close the descriptor at any time, and needn't. Closing the
// socket doesn't close it, because the number could then be somebody else's
// when its owner closes it: the descriptor stays open, and is inert after
// zmq_close, which is never readable. Of sockets that are closed the process
// keeps 256 at most, and at most an eighth of its limit of descriptors
// (RLIMIT_NOFILE); beyond that the oldest is closed.
func (soc *Socket) GetFd() (fd int, err error) {
	err = soc.call(func(s *socketState) error {
		own, err := s.raw.GetFd()
		if err != nil {
			return err
		}
		if s.standIn < 0 || !waker.StandsIn(s.standIn, own) {
			standIn, err := waker.NewStandIn(own)
			if err != nil {
				return &usageError{"GetFd", err}
			}
			s.standIn = standIn
		}
		fd = s.standIn
		return nil
	})
	return fd, err
}

// retireFd leaves to the program what GetFd has returned. The caller holds the
// lock, and libzmq's own descriptor is open.
func (s *socketState) retireFd() {
	if s.standIn < 0 {
		return
	}
	if own, err := s.raw.GetFd(); err == nil {
		waker.RetireStandIn(s.standIn, own)
	}
	s.standIn = -1
}

// checkDescriptors makes sure that n descriptors are available, which somebody
// needs for a purpose. If one is missing, libzmq aborts the process (epoll.cpp,
// epoll_t::epoll_t; ip_resolver.cpp, ip_resolver_t::resolve_nic_name), and so
// does Go. Nobody can help it if another thread takes them in the next moment.
func checkDescriptors(purpose string, n int) error {
	var got []int
	defer func() {
		for _, fd := range got {
			_ = syscall.Close(fd)
		}
	}()
	for range n {
		fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return &usageError{fmt.Sprintf("too few descriptors to %s; it needs %d (ulimit -n)", purpose, n), AsErrno(err)}
		}
		got = append(got, fd)
	}
	return nil
}

// checkInterfaceLookup makes sure that libzmq can look through the network
// interfaces, which takes a descriptor. It does that for the address of a
// listener and for the source address of a connection, even if they are
// numbers. The latter is looked up on the I/O thread, soon after Connect and at
// every attempt to connect again (tcp.cpp, tcp_open_socket).
func checkInterfaceLookup(name, endpoint string, bind bool) error {
	transport, address, _ := strings.Cut(endpoint, "://")
	switch transport {
	case "inproc", "ipc":
		return nil
	}
	if !bind && !strings.Contains(address, ";") {
		return nil
	}
	return checkDescriptors(fmt.Sprintf("%s(%q)", name, endpoint), 1)
}
