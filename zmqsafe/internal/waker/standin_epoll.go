//go:build linux

package waker

import (
	"errors"
	"os"
	"slices"
	"sync"
	"syscall"
)

// A stand-in is what a program gets instead of a socket's own descriptor, which
// must not be closed: an epoll descriptor that watches it, so that it is
// readable whenever that is, edges included. The program may close it at any
// time, even after the socket. So its number must go to nobody else while the
// program may still close it, and must be closed by nobody else: whether it is
// still the stand-in, and what happens if it is, takes one system call.

// maxHeld is how many stand-ins of sockets that are gone are kept open, or
// an eighth of the limit of descriptors if that is less.
const maxHeld = 256

var standIns = struct {
	mu   sync.Mutex
	mark int   // guarded by mu; what all stand-ins watch besides, and nothing else does; never readable
	held []int // guarded by mu; those of sockets that are gone, oldest first
}{mark: -1}

// NewStandIn makes a stand-in for own.
func NewStandIn(own int) (fd int, err error) {
	standIns.mu.Lock()
	defer standIns.mu.Unlock()
	fd, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("epoll_create1", err)
	}
	err = syscall.SetNonblock(fd, true) // os.NewFile then uses the netpoller, as it does for own
	if err == nil {
		err = watchMark(fd)
	}
	if err == nil {
		err = syscall.EpollCtl(fd, syscall.EPOLL_CTL_ADD, own, &syscall.EpollEvent{Events: syscall.EPOLLIN})
	}
	if err != nil {
		return -1, errors.Join(os.NewSyscallError("epoll_ctl", err), syscall.Close(fd))
	}
	standIns.held = slices.DeleteFunc(standIns.held, func(held int) bool { return held == fd }) // the program has closed that
	return fd, nil
}

// watchMark makes fd known as a stand-in. The caller holds the lock.
func watchMark(fd int) error {
	if syscall.EpollCtl(fd, syscall.EPOLL_CTL_ADD, standIns.mark, &syscall.EpollEvent{}) == nil {
		return nil
	}
	// The first stand-in, or the program has closed the mark.
	mark, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		return errno
	}
	standIns.mark = int(mark)
	return syscall.EpollCtl(fd, syscall.EPOLL_CTL_ADD, standIns.mark, &syscall.EpollEvent{})
}

// StandsIn reports whether fd is still the stand-in for own.
func StandsIn(fd, own int) bool {
	return syscall.EpollCtl(fd, syscall.EPOLL_CTL_MOD, own, &syscall.EpollEvent{Events: syscall.EPOLLIN}) == nil
}

// RetireStandIn makes fd inert, which is never readable, if it is still the
// stand-in for own. Its number stays taken until the program closes it, or
// too many are. Own must still be open.
func RetireStandIn(fd, own int) {
	standIns.mu.Lock()
	defer standIns.mu.Unlock()
	if syscall.EpollCtl(fd, syscall.EPOLL_CTL_DEL, own, nil) != nil {
		return // the program has closed it, and its number may be another's
	}
	standIns.held = append(standIns.held, fd)
	most := mostHeld()
	if len(standIns.held) <= most {
		return
	}
	standIns.held = slices.DeleteFunc(standIns.held, func(held int) bool { return !isStandIn(held) })
	for len(standIns.held) > most {
		// If the program closes it in this very moment, and the number becomes
		// another's, that one is closed: only here can't it be helped.
		if oldest := standIns.held[0]; isStandIn(oldest) {
			_ = syscall.Close(oldest)
		}
		standIns.held = standIns.held[1:]
	}
}

// isStandIn reports whether fd is any stand-in. The caller holds the lock.
func isStandIn(fd int) bool {
	return syscall.EpollCtl(fd, syscall.EPOLL_CTL_MOD, standIns.mark, &syscall.EpollEvent{}) == nil
}

func mostHeld() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return maxHeld
	}
	return int(min(maxHeld, limit.Cur/8))
}
