//go:build linux

package waker

import (
	"errors"
	"log/slog"
	"os"
	"syscall"
)

// Waker watches many descriptors with one epoll descriptor and one goroutine.
//
// Go's netpoller watches the epoll descriptor itself, so that the goroutine
// holds no thread while nothing happens. Descriptors are watched
// edge-triggered.
type Waker struct {
	mu       mutex
	sleepers map[int32]Sleeper      // guarded by mu; those that Add gave, by id
	followed map[int]int32          // guarded by mu; by descriptor: the id of the last one followed
	epoll    *os.File               // guarded by mu; nil before Start and after Close
	fd       int                    // guarded by mu; epoll's descriptor
	events   [64]syscall.EpollEvent // guarded by mu; for Drain
	done     chan struct{}          // closed when the goroutine has ended
}

// Start begins to watch. It fails if there is no descriptor left.
func (w *Waker) Start(logger *slog.Logger) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // or os.NewFile won't use the netpoller
		return errors.Join(os.NewSyscallError("fcntl", err), syscall.Close(fd))
	}
	epoll := os.NewFile(uintptr(fd), "zmqsafe-epoll")
	conn, err := epoll.SyscallConn()
	if err != nil {
		return errors.Join(err, epoll.Close())
	}
	w.sleepers, w.followed = make(map[int32]Sleeper), make(map[int]int32)
	w.epoll, w.fd, w.done = epoll, fd, make(chan struct{})
	go w.run(conn, logger, w.done)
	return nil
}

func (w *Waker) run(conn syscall.RawConn, logger *slog.Logger, done chan<- struct{}) {
	defer close(done)
	var err error
	_ = conn.Read(func(uintptr) bool { // until Close
		err = w.Drain()
		return err != nil
	})
	if err != nil { // calls that wait now are woken only by other calls on their socket
		logger.Error("zmqsafe: can't wait for sockets any more; has the program closed a descriptor that isn't its own?", "err", err)
	}
}

// Add begins to watch fd for sleeper. It fails if the system's limit of watches
// is reached.
func (w *Waker) Add(id int32, fd int, sleeper Sleeper) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	const edgeTriggered = syscall.EPOLLET & 0xffffffff // negative on some processors, positive on others
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | edgeTriggered, Fd: id}
	if err := syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	w.sleepers[id] = sleeper
	delete(w.followed, fd) // whoever had the number is gone
	return nil
}

// Remove ends watching, if id is watched. A duplicate of fd would keep a
// registration alive, so this can't be left to the close of fd.
func (w *Waker) Remove(id int32, fd int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sleepers[id] != nil {
		delete(w.sleepers, id)
		// Fails only if somebody has closed the descriptor underneath its
		// owner.
		_ = syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_DEL, fd, nil)
	}
}

// Follow ends watching, and reports whether Holds can tell when fd is closed.
// The registration stays and asks for no event.
func (w *Waker) Follow(id int32, fd int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	op := syscall.EPOLL_CTL_ADD
	if w.sleepers[id] != nil {
		delete(w.sleepers, id)
		op = syscall.EPOLL_CTL_MOD
	}
	if w.epoll == nil || syscall.EpollCtl(w.fd, op, fd, &nothing) != nil {
		return false
	}
	w.followed[fd] = id
	return true
}

// nothing asks for no event. EPOLLHUP can't be declined, but comes once at
// most.
var nothing = syscall.EpollEvent{Events: syscall.EPOLLONESHOT}

// Holds reports whether the owner of a descriptor that is followed has not
// closed it yet.
//
// A registration is for a number together with what was open under it, so it
// makes no difference who has the number now; unless that is another descriptor
// of this Waker, and the last one followed has the entry.
func (w *Waker) Holds(id int32, fd int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last, known := w.followed[fd]; w.epoll == nil || !known || last != id {
		return false
	}
	if syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_MOD, fd, &nothing) != nil {
		delete(w.followed, fd)
		return false
	}
	return true
}

// Drain passes on the edges that are there.
func (w *Waker) Drain() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.epoll != nil {
		n, err := syscall.EpollWait(w.fd, w.events[:], 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return os.NewSyscallError("epoll_wait", err)
		}
		for _, event := range w.events[:n] {
			if sleeper := w.sleepers[event.Fd]; sleeper != nil {
				sleeper.Wake()
			}
		}
		if n < len(w.events) {
			break
		}
	}
	return nil
}

// Close ends watching and waits for the goroutine.
func (w *Waker) Close() {
	w.mu.Lock()
	epoll, done := w.epoll, w.done
	w.epoll = nil
	w.mu.Unlock()
	if epoll != nil {
		_ = epoll.Close()
		<-done
	}
}
