package conns

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// limit is how long anything in these tests may take before it has hung.
const limit = 20 * time.Second

// player plays an I/O thread of libzmq: it waits for events, and when there is
// something in its mailbox it is busy until it is told to go on.
type player struct {
	t              *testing.T
	epoll, mailbox int
	goOn           chan struct{}
	done           chan struct{}
}

func play(t *testing.T) *player {
	t.Helper()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	mailbox, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	require.Zero(t, errno)
	p := &player{t, epoll, int(mailbox), make(chan struct{}), make(chan struct{})}
	p.watch(p.mailbox, syscall.EPOLLIN)
	go p.run()
	t.Cleanup(func() {
		close(p.goOn)
		p.command()
		<-p.done
		require.NoError(t, syscall.Close(p.epoll))
		require.NoError(t, syscall.Close(p.mailbox))
	})
	return p
}

func (p *player) run() {
	defer close(p.done)
	runtime.LockOSThread() // as libzmq's stays the same
	events := make([]syscall.EpollEvent, 1)
	for {
		n, err := syscall.EpollWait(p.epoll, events, -1)
		if err == syscall.EINTR || n == 1 && int(events[0].Fd) != p.mailbox {
			continue
		}
		if _, more := <-p.goOn; !more {
			return
		}
		_, _ = syscall.Read(p.mailbox, make([]byte, 8))
		select {
		case <-p.goOn: // the end has begun
			return
		default:
		}
	}
}

// command puts something in the mailbox.
func (p *player) command() {
	_, err := syscall.Write(p.mailbox, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	require.NoError(p.t, err)
}

func (p *player) watch(fd int, events uint32) {
	p.t.Helper()
	event := &syscall.EpollEvent{Events: events, Fd: int32(fd)}
	if syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_MOD, fd, event) != nil {
		require.NoError(p.t, syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, fd, event))
	}
}

// eventually waits until a look finds a state.
func eventually(t *testing.T, want State, look func() State) {
	t.Helper()
	require.Eventually(t, func() bool { return look() == want }, limit, time.Millisecond)
}

type socket interface {
	File() (*os.File, error)
	Close() error
}

// own returns a descriptor that Go doesn't watch, in place of one that it does.
func own(t *testing.T, s any) (fd int) {
	t.Helper()
	file, err := s.(socket).File()
	require.NoError(t, err)
	fd, err = syscall.Dup(int(file.Fd()))
	require.NoError(t, err)
	require.NoError(t, file.Close())
	require.NoError(t, s.(socket).Close())
	return fd
}

// link is what libzmq would have: a listener and both ends of a connection.
type link struct {
	listener, server, client int
	address, at              string // the latter as an endpoint
}

// transports are those that can be looked at.
var transports = []struct{ network, address, scheme string }{
	{"tcp4", "127.0.0.1:0", "tcp://"},
	{"tcp6", "[::1]:0", "tcp://"},
	{"unix", "", "ipc://"},
	{"unix", "@", "ipc://"},
}

// overEach runs a test for each of the transports.
func overEach(t *testing.T, test func(*testing.T, link)) {
	for _, tt := range transports {
		t.Run(tt.network+tt.address, func(t *testing.T) {
			if tt.network == "unix" {
				tt.address += filepath.Join(t.TempDir(), "socket")
			}
			l, err := net.Listen(tt.network, tt.address)
			if tt.network == "tcp6" && err != nil {
				t.Skip("no IPv6:", err)
			}
			require.NoError(t, err)
			address := l.Addr().String()
			client, err := net.Dial(tt.network, address)
			require.NoError(t, err)
			server, err := l.Accept()
			require.NoError(t, err)
			test(t, link{own(t, l), own(t, server), own(t, client), address, tt.scheme + address})
		})
	}
}

func closeAll(t *testing.T, fds ...int) {
	t.Helper()
	for _, fd := range fds {
		require.NoError(t, syscall.Close(fd))
	}
}

func TestLook(t *testing.T) {
	overEach(t, func(t *testing.T, link link) {
		thread, threads := play(t), &Threads{Number: 1}
		accepted := func() State { return threads.Accepted(link.at).State }
		assert.Equal(t, Unknown, accepted(), "nothing listens")
		assert.Equal(t, Done, threads.Connected(link.at).State, "there is no connection")
		thread.watch(link.listener, syscall.EPOLLIN)
		eventually(t, Done, accepted)
		assert.Zero(t, threads.Accepted(link.at).Len(), "a listener is no connection")
		thread.watch(link.server, syscall.EPOLLIN)
		thread.watch(link.client, 0)
		assert.Equal(t, 1, threads.Accepted(link.at).Len())
		assert.Equal(t, 1, threads.Connected(link.at).Len())
		if link.at[0] == 't' {
			assert.Equal(t, 1, threads.Connected("tcp://127.0.0.1:0;"+link.address).Len(), "behind a source address")
		}

		thread.command()
		assert.Equal(t, Busy, accepted(), "there is a command")
		thread.goOn <- struct{}{}
		eventually(t, Done, accepted)
		thread.watch(link.server, syscall.EPOLLOUT)
		require.NoError(t, syscall.SetNonblock(link.server, true))
		eventually(t, Waiting, func() State {
			for err := error(nil); err == nil; { // until the peer takes no more
				_, err = syscall.Write(link.server, make([]byte, 64<<10))
			}
			return accepted()
		})
		closeAll(t, link.listener, link.server, link.client)
	})
}

func TestUnbound(t *testing.T) {
	overEach(t, func(t *testing.T, link link) {
		thread, threads := play(t), &Threads{Number: 1}
		assert.Equal(t, Unknown, threads.Accepted(link.at).Unbound())
		thread.watch(link.listener, syscall.EPOLLIN)
		thread.watch(link.server, syscall.EPOLLIN)
		eventually(t, Done, func() State { return threads.Accepted(link.at).State })
		look := threads.Accepted(link.at)
		require.True(t, look.Listens())
		assert.Equal(t, Busy, look.Unbound(), "it listens")
		closeAll(t, link.listener)
		thread.command()
		assert.Equal(t, Busy, look.Unbound(), "it may not have told all connections")
		thread.goOn <- struct{}{}
		eventually(t, Done, look.Unbound)
		closeAll(t, link.server, link.client)
		assert.Equal(t, Done, look.Unbound())
	})
}

// Without descriptors nobody sees anything, which must not look like nothing.
func TestLookWithoutDescriptors(t *testing.T) {
	overEach(t, func(t *testing.T, link link) {
		thread, threads := play(t), new(Threads)
		thread.watch(link.listener, syscall.EPOLLIN)
		thread.watch(link.server, syscall.EPOLLIN)
		eventually(t, Done, func() State { return threads.Accepted(link.at).State })
		look := threads.Accepted(link.at)
		closeAll(t, link.listener)
		eventually(t, Done, look.Unbound)

		var limits syscall.Rlimit
		require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limits))
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Max: limits.Max}))
		states := []State{look.Unbound(), threads.Connected(link.at).State, new(Threads).Connected(link.at).State}
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limits))
		assert.Equal(t, []State{Unknown, Unknown, Unknown}, states)
		closeAll(t, link.server, link.client)
	})
}

func TestUnknownEndpoints(t *testing.T) {
	play(t)
	threads := new(Threads)
	for _, endpoint := range []string{"inproc://x", "tcp://127.0.0.1", "tcp://127.0.0.1:*", "pgm://eth0;239.1.1.1:1", ""} {
		assert.Equal(t, Unknown, threads.Accepted(endpoint).State, endpoint)
		assert.Equal(t, Unknown, threads.Connected(endpoint).State, endpoint)
	}
	look := threads.Connected("tcp://other.invalid:1")
	assert.Equal(t, Done, look.State)
	assert.Zero(t, look.Len())
}
