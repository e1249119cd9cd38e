package zmqsafe

import (
	"fmt"
	"syscall"
)

// startLocked prepares the context for its first socket, which is when libzmq
// starts its threads.
func (c *contextState) startLocked() error {
	if c.started {
		return nil
	}
	if err := c.checkScheduling(); err != nil {
		return err
	}
	ioThreads, err := c.raw.GetIoThreads()
	if err != nil {
		return err
	}
	// Each thread of libzmq, I/O threads and the reaper, has an epoll descriptor
	// and a mailbox; the context and the socket have a mailbox each; the waker has
	// its epoll descriptor, and Go's netpoller, if this is its first use, two.
	if err := checkDescriptors(2*(ioThreads+1) + 5); err != nil {
		return err
	}
	c.waker.logger = c.logger
	if err := c.waker.start(); err != nil {
		return err
	}
	c.started = true
	return nil
}

// checkDescriptors makes sure that n descriptors can be had. Where one is missing
// libzmq aborts the process (epoll.cpp, epoll_t::epoll_t), and so does Go.
func checkDescriptors(n int) error {
	var got []int
	defer func() {
		for _, fd := range got {
			_ = syscall.Close(fd)
		}
	}()
	for range n {
		fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return &usageError{fmt.Sprintf("no descriptors left to start a context with; it takes %d (ulimit -n)", n), AsErrno(err)}
		}
		got = append(got, fd)
	}
	return nil
}
