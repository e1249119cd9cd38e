package conns

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Held are connections of libzmq that are kept open, so that it can be seen who
// ended them. The peers don't notice that libzmq has closed them before
// Release, so look often. The zero Held has none.
type Held struct{ all []held }

type held struct {
	file
	dup int
}

// maxHeld is how many connections the process holds at a time.
const maxHeld = 256

var nowHeld atomic.Int32

// Hold holds the connections to the peer at an endpoint, see
// [Threads.Connected]: those that there are at one time. It holds none if it
// can't hold all, because there are too many or no descriptors left.
func (t *Threads) Hold(at string) (h Held) {
	for range 10 { // others may close theirs meanwhile
		if again := h.hold(t.Connected(at).conns); !again {
			break
		}
	}
	return h
}

// hold holds all or none, and reports whether one is closed.
func (h *Held) hold(conns []file) (closed bool) {
	for _, f := range conns {
		dup, err := duplicate(f)
		if err != nil {
			h.Release()
			return err == syscall.EBADF
		}
		h.all = append(h.all, held{f, dup})
	}
	return false
}

func duplicate(f file) (dup int, err error) {
	if nowHeld.Add(1) > maxHeld {
		nowHeld.Add(-1)
		return -1, syscall.EMFILE
	}
	number, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(f.fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		nowHeld.Add(-1)
		return -1, errno
	}
	if of, ok := fileAt(int(number)); !ok || of.inode != f.inode { // the number is another's
		release(int(number))
		return -1, syscall.EBADF
	}
	return int(number), nil
}

func release(dup int) {
	_ = syscall.Close(dup)
	nowHeld.Add(-1)
}

// Release ends holding.
func (h *Held) Release() {
	for _, c := range h.all {
		release(c.dup)
	}
	h.all = nil
}

// Len is the number of connections.
func (h *Held) Len() int { return len(h.all) }

// Ended counts the connections that libzmq has closed, and those of which the
// peer has: libzmq may have had more to send.
func (h *Held) Ended() (here, there int) {
	for _, c := range h.all {
		closed := c.closed() // first: libzmq closes it if the peer has
		switch {
		case hungUp(c.dup):
			there++
		case closed:
			here++
		}
	}
	return here, there
}

// hungUp reports whether the peer has closed a connection.
func hungUp(fd int) bool {
	const pollRDHUP = 0x2000
	poll := struct { // pollfd of poll(2)
		fd      int32
		events  int16
		revents int16
	}{fd: int32(fd), events: pollRDHUP}
	var now syscall.Timespec
	_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
	return errno != 0 || poll.revents != 0
}
