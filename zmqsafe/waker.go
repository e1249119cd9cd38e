package zmqsafe

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
)

// waker turns the edges of many ZMQ_FDs into kicks: one epoll descriptor and
// one goroutine for a context, however many sockets are waited for. Polls don't
// wait for that goroutine to find out what is ready: they drain, too.
//
// The epoll descriptor itself is watched by Go's netpoller, so the goroutine
// holds no OS thread while nothing happens. ZMQ_FDs are watched edge-triggered
// and never read. A socket must be removed or followed before its zmq_close, since
// a duplicate of its descriptor (GetFd) would keep the registration alive.
type waker struct {
	mu       sync.Mutex
	logger   *slog.Logger
	sockets  map[int32]*socketState // guarded by mu; those that were waited for
	followed map[int]int32          // guarded by mu; which closed socket had a descriptor
	epoll    *os.File               // guarded by mu; nil before start and after close
	fd       int                    // guarded by mu; epoll's descriptor
	events   [64]syscall.EpollEvent // guarded by mu; for drain
	done     chan struct{}          // closed when the goroutine has ended
}

// add begins to watch fd, the ZMQ_FD of s. An edge that was there before counts.
func (w *waker) add(s *socketState, fd int) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	const edgeTriggered = -syscall.EPOLLET // the constant is negative in package syscall
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | edgeTriggered, Fd: s.id}
	if err := syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("zmqsafe: can't wait for a socket: %w", os.NewSyscallError("epoll_ctl", err))
	}
	w.sockets[s.id] = s
	delete(w.followed, fd) // whoever had the number is gone
	return nil
}

// remove ends watching, if s is watched.
func (w *waker) remove(s *socketState, fd int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sockets[s.id] != nil {
		delete(w.sockets, s.id)
		// Fails only if somebody closed the descriptor underneath libzmq.
		_ = syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_DEL, fd, nil)
	}
}

// follow ends watching s, whose ZMQ_FD is fd, and reports whether holds can tell
// from now on whether libzmq still has it: the registration stays, asking for
// nothing, and the kernel takes it off when libzmq closes the descriptor, which is
// the last that it does with a socket.
func (w *waker) follow(s *socketState, fd int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	op := syscall.EPOLL_CTL_ADD
	if w.sockets[s.id] != nil {
		delete(w.sockets, s.id)
		op = syscall.EPOLL_CTL_MOD
	}
	if w.epoll == nil || syscall.EpollCtl(w.fd, op, fd, &nothing) != nil {
		return false
	}
	w.followed[fd] = s.id
	return true
}

// nothing asks for no event. EPOLLHUP can't be declined, but comes once at most.
var nothing = syscall.EpollEvent{Events: syscall.EPOLLONESHOT}

// holds reports whether libzmq still has the socket that was followed by fd.
//
// A registration is for a number and what was open under it, so it makes no
// difference who has the number by now; unless that is another socket of this
// context, and of those followed has the last.
func (w *waker) holds(id int32, fd int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.epoll == nil || w.followed[fd] != id {
		return false
	}
	if syscall.EpollCtl(w.fd, syscall.EPOLL_CTL_MOD, fd, &nothing) != nil {
		delete(w.followed, fd)
		return false
	}
	return true
}

// close ends the goroutine and waits for it. Nothing may be added any more.
func (w *waker) close() {
	w.mu.Lock()
	epoll, done := w.epoll, w.done
	w.epoll = nil
	w.mu.Unlock()
	if epoll != nil {
		_ = epoll.Close()
		<-done
	}
}

// start is called before anything is added.
func (w *waker) start() error {
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
	w.sockets, w.followed = make(map[int32]*socketState), make(map[int]int32)
	w.epoll, w.fd, w.done = epoll, fd, make(chan struct{})
	go w.run(conn, w.done)
	return nil
}

func (w *waker) run(conn syscall.RawConn, done chan<- struct{}) {
	defer close(done)
	var err error
	_ = conn.Read(func(uintptr) bool { // until close
		err = w.drain()
		return err != nil
	})
	if err != nil { // what waits now waits for other calls on its socket only
		w.logger.Error("zmqsafe: can't wait for sockets any more; was a descriptor closed that isn't the program's own?", "err", err)
	}
}

// drain passes on the edges that are there. Whoever calls it, when it returns all
// that were there before the call have been passed on. It doesn't block.
func (w *waker) drain() error {
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
			if s := w.sockets[event.Fd]; s != nil {
				s.wakeAll()
			}
		}
		if n < len(w.events) {
			break
		}
	}
	return nil
}
