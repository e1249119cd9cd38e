package zmqsafe

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGetFdIsADuplicate(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	before := openDescriptors(t)
	fd, err := pull.GetFd()
	require.NoError(t, err)
	again, err := pull.GetFd()
	require.NoError(t, err)
	assert.Equal(t, fd, again, "the same as long as it is open")
	assert.Equal(t, before+1, openDescriptors(t))
	own, err := pull.s.raw.GetFd()
	require.NoError(t, err)
	assert.NotEqual(t, own, fd)

	// Its edge tells of a message.
	_, err = push.Send("x", 0)
	require.NoError(t, err)
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(epoll)) }()
	require.NoError(t, syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}))
	n, err := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), int(limit/time.Millisecond))
	require.NoError(t, err)
	assert.Equal(t, 1, n)

	// Closed by somebody, then by the socket, then its number is another file's.
	require.NoError(t, syscall.Close(fd))
	replaced, err := pull.GetFd()
	require.NoError(t, err)
	require.NoError(t, syscall.Close(replaced))
	other, err := os.Open("/dev/null")
	require.NoError(t, err)
	for int(other.Fd()) < replaced { // until the number is taken
		other, err = os.Open("/dev/null")
		require.NoError(t, err)
	}
	require.NoError(t, pull.Close())
	_, err = other.Stat()
	assert.NoError(t, err, "the socket must not close what isn't its own")
}

func TestGetFdGoesWithTheSocket(t *testing.T) {
	ctx := newContext(t)
	before := openDescriptors(t)
	for range 20 {
		soc, err := ctx.NewSocket(PULL)
		require.NoError(t, err)
		_, err = soc.GetFd()
		require.NoError(t, err)
		require.NoError(t, soc.Close())
	}
	require.NoError(t, ctx.Close())
	assert.LessOrEqual(t, openDescriptors(t), before)
}

// The program that aborts with raw: a file over GetFd, collected.
func TestStrayCloseOfGetFd(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
	func() {
		fd, err := pull.GetFd()
		require.NoError(t, err)
		file := os.NewFile(uintptr(fd), "stray")
		runtime.AddCleanup(file, func(struct{}) {}, struct{}{})
	}()
	collectGarbage(t)
	_, err := push.Send("x", 0)
	require.NoError(t, err)
	got, err := pull.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "x", got)
}

// collectGarbage returns when finalizers and cleanups that were due have run.
func collectGarbage(t *testing.T) {
	t.Helper()
	for range 3 {
		ran := make(chan struct{})
		marker := new([16]byte)
		runtime.AddCleanup(marker, func(c chan struct{}) { close(c) }, ran)
		marker = nil
		_ = marker
		runtime.GC()
		waitFor(t, "garbage collection", ran)
	}
}

// A duplicate of ZMQ_FD keeps the descriptor alive after its socket: nothing may
// be left of it in the waker.
func TestWakerForgetsClosedSockets(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	fd, err := soc.GetFd()
	require.NoError(t, err)
	kept, err := syscall.Dup(fd)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(kept)) }()
	require.NoError(t, soc.SetRcvtimeo(time.Millisecond))
	_, err = soc.Recv(0)
	require.Equal(t, errAgain, err)
	watched := func() string {
		info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", ctx.c.waker.fd))
		require.NoError(t, err)
		return string(info)
	}
	require.Contains(t, watched(), "tfd:")
	require.NoError(t, soc.Close())
	assert.NotContains(t, watched(), "tfd:")
	assert.Empty(t, ctx.c.waker.sockets)
}
