package conns

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Threads are the I/O threads of a context of libzmq. To look at them costs as
// much as they have connections, however many descriptors the process has: it
// looks for them once.
//
// That can't go wrong. A thread has its epoll descriptor and its mailbox from
// the first socket of the context until zmq_ctx_term, so nobody else can have
// their numbers as long as a socket is open. Nothing tells at first which
// threads are whose, so those of other contexts are looked at, too. They may
// end, and others take their numbers: but what a thread has at an endpoint is
// found by asking for its address, and only a thread that has something there
// matters.
type Threads struct {
	Number int // of I/O threads that the context has

	mu    sync.Mutex
	found []*thread // guarded by mu; empty before the first look
}

// thread is a thread of libzmq, and what it waits with. It is guarded by
// Threads.mu.
type thread struct {
	epoll   int
	mailbox int // an eventfd
	task    int // its number in /proc/self/task once it was seen, or 0
}

// all returns the threads. Without a /proc there are none. The caller holds mu.
func (t *Threads) all() []*thread {
	if len(t.found) == 0 {
		t.found = findThreads()
	}
	return t.found
}

// own notes which threads listen, so they are of the context. If these are all
// that it has, no other is looked at any more. The caller holds mu.
func (t *Threads) own(listening []*thread) {
	if n := len(listening); n > 0 && n == t.Number {
		t.found = listening
	}
}

// findThreads lists what looks like a thread of libzmq: an epoll descriptor
// that watches an eventfd. It returns nothing rather than not all.
func findThreads() (all []*thread) {
	open, err := numbersIn("/proc/self/fd")
	if err != nil {
		return nil
	}
	// All epoll descriptors have the same inode, as have others. Comparing
	// inodes takes a tenth of the time that it takes to read a link.
	some, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil
	}
	defer syscall.Close(some)
	epoll, _ := fileAt(some)
	for _, fd := range open {
		if f, ok := fileAt(fd); !ok || f.inode != epoll.inode || fd == some || kind(fd) != "eventpoll" {
			continue
		}
		watches, err := watchesOf(fd)
		if err != nil {
			return nil
		}
		for _, w := range watches {
			if kind(w.fd) == "eventfd" {
				all = append(all, &thread{epoll: fd, mailbox: w.fd})
				break
			}
		}
	}
	return all
}

// kind says what a descriptor without a file is of.
func kind(fd int) string {
	text, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	text, _ = strings.CutPrefix(text, "anon_inode:[")
	return strings.TrimSuffix(text, "]")
}

// state is Done if the thread has nothing to do: its mailbox is empty, and
// after that it waits for events.
func (t *thread) state() State {
	info, _ := infoOf(t.mailbox)
	for line := range strings.Lines(info) {
		if count, is := strings.CutPrefix(line, "eventfd-count:"); is {
			if strings.TrimSpace(count) != "0" {
				return Busy
			}
			return t.waits()
		}
	}
	return Unknown
}

// waits is Done if the thread waits for events.
func (t *thread) waits() (state State) {
	if t.task != 0 {
		if state = t.waitsAs(t.task); state != Unknown {
			return state
		}
	}
	tasks, _ := numbersIn("/proc/self/task")
	for _, task := range tasks {
		switch t.waitsAs(task) {
		case Done:
			t.task = task
			return Done
		case Busy:
			state = Busy
		}
	}
	return state
}

// waitsAs is Done if a task waits for events of the thread, so it is the
// thread.
func (t *thread) waitsAs(task int) State {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", task))
	if err != nil {
		return Unknown
	}
	// 232 0x7 0x7f… …, the number of the call and its arguments. The second one
	// of epoll_wait is an address, that of epoll_ctl is small.
	fields := strings.Fields(string(text))
	if len(fields) > 2 && fields[1] == fmt.Sprintf("%#x", t.epoll) && len(fields[2]) > len("0xfff") {
		return Done
	}
	return Busy
}

// watch is what an epoll descriptor watches a file for.
type watch struct {
	fd     int
	events uint32
}

// watchesOf lists what an epoll descriptor watches. It leaves out those that
// are edge-triggered: they are Go's, libzmq has none.
func watchesOf(epoll int) (watches []watch, err error) {
	const edgeTriggered = syscall.EPOLLET & 0xffffffff // negative on some processors
	info, err := infoOf(epoll)
	for line := range strings.Lines(info) {
		// tfd:        8 events:       19 data:     7f…
		text, is := strings.CutPrefix(line, "tfd:")
		number, text, _ := strings.Cut(text, "events:")
		mask, _, _ := strings.Cut(text, "data:")
		fd, err := strconv.Atoi(strings.TrimSpace(number))
		events, eventsErr := strconv.ParseUint(strings.TrimSpace(mask), 16, 32)
		if is && err == nil && eventsErr == nil && events&edgeTriggered == 0 {
			watches = append(watches, watch{fd, uint32(events)})
		}
	}
	return watches, err
}

// infoOf returns what the kernel says of a descriptor: nothing if it is closed.
func infoOf(fd int) (string, error) {
	text, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(fd))
	if os.IsNotExist(err) {
		err = nil
	}
	return string(text), err
}

// numbersIn lists the names in a directory of /proc that are numbers.
func numbersIn(dir string) ([]int, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	numbers := make([]int, 0, len(names))
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, err
}
