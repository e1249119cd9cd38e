//go:build linux

package waker

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// limit is for what must happen soon, also on a busy machine.
const limit = time.Minute

// sleeper is woken.
type sleeper struct {
	wakes atomic.Int64
	woken chan struct{}
}

func newSleeper() *sleeper { return &sleeper{woken: make(chan struct{}, 1)} }

func (s *sleeper) Wake() {
	s.wakes.Add(1)
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

func (s *sleeper) await(t *testing.T) {
	t.Helper()
	select {
	case <-s.woken:
	case <-time.After(limit):
		t.Fatal("not woken")
	}
}

func newWaker(t *testing.T) *Waker {
	t.Helper()
	w := new(Waker)
	if err := w.Start(slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// newPipe returns a descriptor that becomes readable with each call of signal.
func newPipe(t *testing.T) (fd int, signal func()) {
	t.Helper()
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(p[1]) })
	return p[0], func() {
		if _, err := syscall.Write(p[1], []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
}

func add(t *testing.T, w *Waker, id int32, fd int, s *sleeper) {
	t.Helper()
	if err := w.Add(id, fd, s); err != nil {
		t.Fatal(err)
	}
}

func TestEdges(t *testing.T) {
	w := newWaker(t)
	fd, signal := newPipe(t)
	defer syscall.Close(fd)
	signal() // before Add
	s := newSleeper()
	add(t, w, 1, fd, s)
	s.await(t)
	for range 3 {
		signal()
		s.await(t)
	}
	if err := w.Drain(); err != nil {
		t.Fatal(err)
	}
	before := s.wakes.Load()
	if err := w.Drain(); err != nil || s.wakes.Load() != before {
		t.Error("woken without an edge; the descriptor is still readable", err)
	}
}

// After Drain an edge has been passed on, whether the goroutine or Drain saw
// it: for more descriptors than one call of epoll_wait returns.
func TestDrain(t *testing.T) {
	w := newWaker(t)
	const n = 200
	var sleepers [n]*sleeper
	var signals [n]func()
	for i := range n {
		var fd int
		fd, signals[i] = newPipe(t)
		defer syscall.Close(fd)
		sleepers[i] = newSleeper()
		add(t, w, int32(i+1), fd, sleepers[i])
	}
	for round := range int64(20) {
		for _, signal := range signals {
			signal()
		}
		if err := w.Drain(); err != nil {
			t.Fatal(err)
		}
		for i, s := range sleepers {
			if s.wakes.Load() <= round {
				t.Fatalf("round %d: descriptor %d had an edge, and Drain returned before its Wake", round, i)
			}
		}
	}
}

func TestRemove(t *testing.T) {
	w := newWaker(t)
	fd, signal := newPipe(t)
	s := newSleeper()
	add(t, w, 1, fd, s)
	dup, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(dup) // it would keep the registration
	w.Remove(1, fd)
	w.Remove(1, fd)
	w.Remove(2, fd) // never added
	syscall.Close(fd)
	signal()
	if err := w.Drain(); err != nil || s.wakes.Load() != 0 {
		t.Error("woken after Remove", err)
	}
}

func TestFollow(t *testing.T) {
	w := newWaker(t)
	for _, watched := range []bool{false, true} {
		fd, signal := newPipe(t)
		s := newSleeper()
		if watched {
			add(t, w, 5, fd, s)
		}
		if w.Holds(5, fd) {
			t.Error("Holds before Follow")
		}
		if !w.Follow(5, fd) {
			t.Fatal("Follow failed")
		}
		signal()
		if err := w.Drain(); err != nil || s.wakes.Load() != 0 {
			t.Error("woken after Follow", err)
		}
		if !w.Holds(5, fd) || w.Holds(6, fd) {
			t.Error("Holds: want true for 5 only")
		}
		syscall.Close(fd)
		for range 2 {
			if w.Holds(5, fd) {
				t.Error("Holds after the close")
			}
		}
		if w.Follow(7, fd) {
			t.Error("a closed descriptor is followed")
		}
	}
}

// The number of a descriptor that was followed is used again: by a stranger,
// and by another one that is watched.
func TestFollowedNumberIsReused(t *testing.T) {
	w := newWaker(t)
	fd, _ := newPipe(t)
	if !w.Follow(1, fd) {
		t.Fatal("Follow failed")
	}
	next, signal := newPipe(t)
	defer syscall.Close(next)
	if err := syscall.Dup3(next, fd, syscall.O_CLOEXEC); err != nil { // closes the first
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if w.Holds(1, fd) {
		t.Error("a stranger has the number now")
	}
	if !w.Follow(2, fd) || !w.Holds(2, fd) {
		t.Error("the second can't be followed under the same number")
	}
	if w.Holds(1, fd) {
		t.Error("the first is taken for the second")
	}
	w.Remove(2, fd)
	again, _ := newPipe(t)
	if err := syscall.Dup3(again, fd, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(again)
	s := newSleeper()
	add(t, w, 3, fd, s)
	if w.Holds(2, fd) {
		t.Error("what is watched is taken for what was followed")
	}
	signal()
}

func TestClose(t *testing.T) {
	var never Waker
	never.Close()

	w := newWaker(t)
	fd, _ := newPipe(t)
	defer syscall.Close(fd)
	if !w.Follow(1, fd) {
		t.Fatal("Follow failed")
	}
	w.Close()
	w.Close()
	if w.Holds(1, fd) || w.Follow(2, fd) {
		t.Error("a closed Waker follows nothing")
	}
	if err := w.Drain(); err != nil {
		t.Error(err)
	}
}

// If the epoll descriptor is closed underneath, Drain says so, and the
// goroutine logs it and ends.
func TestBroken(t *testing.T) {
	var log bytes.Buffer
	w := new(Waker)
	if err := w.Start(slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	fd, signal := newPipe(t)
	defer syscall.Close(fd)
	s := newSleeper()
	add(t, w, 1, fd, s)
	w.mu.Lock()
	epoll := w.fd
	w.fd = -1 // as if it were closed; closing it would free the number for others
	signal()
	w.mu.Unlock()
	<-w.done
	w.mu.Lock()
	w.fd = epoll
	w.mu.Unlock()
	if !strings.Contains(log.String(), "can't wait for sockets any more") {
		t.Errorf("logged: %q", log.String())
	}
	w.Close()
}

func TestStartWithoutDescriptors(t *testing.T) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 0, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	err := new(Waker).Start(slog.Default())
	if err2 := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err2 != nil {
		t.Fatal(err2)
	}
	if errno, ok := err.(*os.SyscallError); !ok || errno.Err != syscall.EMFILE {
		t.Error("Start:", err)
	}
}
