package zmqsafe

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGetFdStandsIn(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	_, err := push.GetFd()
	require.NoError(t, err)
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

	// Each message is an edge.
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(epoll)) }()
	const edgeTriggered = syscall.EPOLLET & 0xffffffff
	require.NoError(t, syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN | edgeTriggered}))
	for range 3 {
		sendText(t, push, "x")
		n, err := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), int(limit/time.Millisecond))
		require.NoError(t, err)
		assert.Equal(t, 1, n)
		_, err = pull.Recv(DONTWAIT)
		require.NoError(t, err)
		_, err = pull.Recv(DONTWAIT)
		require.Equal(t, errAgain, err)
	}

	// The program closes the descriptor. When the socket is closed, the number
	// already belongs to another file.
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

// readable reports whether a descriptor is readable, or hung up, now.
func readable(t *testing.T, fd int) bool {
	t.Helper()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	defer func() { require.NoError(t, syscall.Close(epoll)) }()
	require.NoError(t, syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}))
	n, err := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), 0)
	require.NoError(t, err)
	return n > 0
}

// A number stays the program's until it closes it, and is silent from the
// socket's close on.
func TestGetFdOutlivesTheSocket(t *testing.T) {
	ctx := newContext(t)
	_, err := newSocket(t, ctx, PULL).GetFd()
	require.NoError(t, err)
	before := openDescriptors(t)
	var fds []int
	for range 20 {
		pull, err := ctx.NewSocket(PULL)
		require.NoError(t, err)
		fd, err := pull.GetFd()
		require.NoError(t, err)
		require.NoError(t, pull.Bind("tcp://127.0.0.1:*")) // a command that libzmq's thread sends the socket
		require.NoError(t, pull.Close())
		fds = append(fds, fd)
	}
	require.NoError(t, ctx.Close())
	for _, fd := range fds {
		assert.False(t, readable(t, fd))
		require.NoError(t, syscall.Close(fd), "nobody else has closed it")
	}
	assert.LessOrEqual(t, openDescriptors(t), before)
}

// These programs abort or hang with pebbe/zmq4. Descriptors of GetFd are closed
// before, while and after their sockets are, by hand or by the garbage
// collector, while their numbers become those of other sockets.
func TestStrayCloseOfGetFd(t *testing.T) {
	inChild(t, func() {
		ctx := newContext(t)
		exchange := func(n int) {
			pull, push := newPair(t, ctx, PULL, PUSH, fmt.Sprint("inproc://", n))
			require.NoError(t, pull.SetRcvtimeo(limit))
			sendText(t, push, "x")
			got, err := pull.Recv(0)
			require.NoError(t, err)
			require.Equal(t, "x", got)
			require.NoError(t, pull.Close())
			require.NoError(t, push.Close())
		}
		for n := range 200 {
			soc, err := ctx.NewSocket(PAIR)
			require.NoError(t, err)
			fd, err := soc.GetFd()
			require.NoError(t, err)
			file := os.NewFile(uintptr(fd), "stray")
			var all sync.WaitGroup
			switch n % 5 {
			case 0: // by the garbage collector, afterwards
				require.NoError(t, soc.Close())
				exchange(n)
				file = nil
				if n%50 == 0 {
					collectGarbage(t)
				}
			case 1: // by the garbage collector, before
				if file = nil; n%50 == 1 {
					collectGarbage(t)
				}
				exchange(n)
				require.NoError(t, soc.Close())
			case 2: // by hand, afterwards
				require.NoError(t, soc.Close())
				exchange(n)
				require.NoError(t, file.Close())
			case 3: // by hand, before
				require.NoError(t, file.Close())
				exchange(n)
				require.NoError(t, soc.Close())
			case 4: // at once
				all.Go(func() { require.NoError(t, file.Close()) })
				all.Go(func() { require.NoError(t, soc.Close()) })
				all.Go(func() { exchange(n) })
			}
			all.Wait()
			runtime.KeepAlive(soc)
		}
	})
}
