//go:build linux

package waker

import (
	"slices"
	"sync"
	"syscall"
	"testing"
)

func newStandIn(t *testing.T, own int) int {
	t.Helper()
	fd, err := NewStandIn(own)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// readable reports whether a descriptor is readable, or hung up, now.
func readable(t *testing.T, fd int) bool {
	t.Helper()
	epoll := newEpoll(t)
	defer syscall.Close(epoll)
	if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}); err != nil {
		t.Fatal(err)
	}
	n, err := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), 0)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

func isOpen(fd int) bool {
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return errno == 0
}

func TestStandIn(t *testing.T) {
	own, signal := newPipe(t)
	fd := newStandIn(t, own)
	defer syscall.Close(fd)
	check := func(what string, want bool) {
		t.Helper()
		if got := readable(t, fd); got != want {
			t.Errorf("%s: readable %v, want %v", what, got, want)
		}
	}
	check("new", false)
	for range 2 {
		signal()
		check("signalled", true)
		if _, err := syscall.Read(own, make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		check("read", false)
	}
	signal()
	if !StandsIn(fd, own) {
		t.Error("it doesn't stand in")
	}
	RetireStandIn(fd, own)
	check("retired", false)
	if StandsIn(fd, own) {
		t.Error("it still stands in")
	}
	syscall.Close(own)
	check("own is closed", false)
}

// A number that is no stand-in any more, or one for another descriptor, is left
// alone.
func TestStandInWhoseNumberIsAnothers(t *testing.T) {
	own, signal := newPipe(t)
	defer syscall.Close(own)
	other, _ := newPipe(t)
	defer syscall.Close(other)
	signal()
	for name, take := range map[string]func(number int){
		"nobody's":           func(int) {},
		"a file's":           func(number int) { become(t, copyOf(t, other), number) },
		"an epoll's":         func(number int) { become(t, newEpoll(t), number) },
		"another stand-in's": func(number int) { become(t, newStandIn(t, other), number) },
	} {
		fd := newStandIn(t, own)
		syscall.Close(fd)
		take(fd)
		taken := isOpen(fd)
		if StandsIn(fd, own) {
			t.Errorf("%s: stands in", name)
		}
		RetireStandIn(fd, own)
		if isOpen(fd) != taken {
			t.Errorf("%s: closed", name)
		}
		if slices.Contains(standIns.held, fd) {
			t.Errorf("%s: held", name)
		}
		syscall.Close(fd)
	}
}

// become gives what is open as fd another number.
func become(t *testing.T, fd, number int) {
	t.Helper()
	if fd == number {
		return
	}
	if err := syscall.Dup3(fd, number, syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	syscall.Close(fd)
}

func copyOf(t *testing.T, fd int) int {
	t.Helper()
	number, err := syscall.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

func newEpoll(t *testing.T) int {
	t.Helper()
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// Of those that nobody closes the oldest go first. Those that were closed don't
// count.
func TestStandInsAreBounded(t *testing.T) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	own, _ := newPipe(t)
	defer syscall.Close(own)
	for limit, most := range map[uint64]int{800: 100, min(old.Max, 1<<20): maxHeld} {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: limit, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
		var all []int
		retire := func() {
			all = append(all, newStandIn(t, own))
			RetireStandIn(all[len(all)-1], own)
		}
		for range most {
			retire()
		}
		for _, fd := range all {
			if !isOpen(fd) {
				t.Fatalf("limit %d: closed too early", limit)
			}
		}
		for _, fd := range all[most/2 : most/2+3] {
			syscall.Close(fd)
		}
		kept, _ := newPipe(t) // takes one of the numbers
		all = append(all[:most/2], all[most/2+3:]...)
		for range 3 {
			retire()
		}
		if !isOpen(all[0]) {
			t.Errorf("limit %d: those that were closed count", limit)
		}
		for i := range 5 {
			retire()
			if number := all[len(all)-1]; isOpen(all[i]) && number != all[i] || !isOpen(all[i+1]) {
				t.Errorf("limit %d: the oldest is %d of %v", limit, all[i], all)
			}
		}
		if !isOpen(kept) {
			t.Errorf("limit %d: a number that was closed before was another's", limit)
		}
		syscall.Close(kept)
		for _, fd := range all[5:] {
			syscall.Close(fd)
		}
		standIns.held = nil
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
}

// A program that closes a descriptor while its socket is closed takes nothing
// from others, and neither does the socket.
func TestStandInsRace(t *testing.T) {
	own, _ := newPipe(t)
	defer syscall.Close(own)
	for range 500 {
		fd := newStandIn(t, own)
		var all sync.WaitGroup
		all.Go(func() { syscall.Close(fd) })
		all.Go(func() { RetireStandIn(fd, own) })
		all.Go(func() {
			var p [2]int
			if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
				t.Error(err)
				return
			}
			if _, err := syscall.Write(p[1], []byte{1}); err != nil {
				t.Error(err)
			}
			for _, fd := range p {
				if err := syscall.Close(fd); err != nil {
					t.Error(err)
				}
			}
		})
		all.Wait()
	}
}

// A program that closes what it finds closes the mark, too.
func TestMarkIsMadeAgain(t *testing.T) {
	own, signal := newPipe(t)
	defer syscall.Close(own)
	syscall.Close(newStandIn(t, own))
	syscall.Close(standIns.mark)
	fd := newStandIn(t, own)
	defer syscall.Close(fd)
	if signal(); !readable(t, fd) {
		t.Error("not readable")
	}
}
