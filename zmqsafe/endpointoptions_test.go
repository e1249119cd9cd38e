package zmqsafe

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In these tests raw aborts the process.

// listener returns a descriptor that listens on a port of 127.0.0.1.
func listener(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	defer file.Close()
	fd, err := syscall.Dup(int(file.Fd()))
	require.NoError(t, err)
	return fd
}

func TestUseFd(t *testing.T) {
	ctx := newContext(t)
	pull, push := newSocket(t, ctx, PULL), newSocket(t, ctx, PUSH)
	fd := listener(t)
	require.NoError(t, pull.SetUseFd(fd))
	require.NoError(t, pull.Bind("tcp://127.0.0.1:1")) // the address isn't looked at
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, push.Connect(endpoint))
	_, err = push.Send("x", 0)
	require.NoError(t, err)
	bounded(t, "Recv", func() {
		got, err := pull.Recv(0)
		require.NoError(t, err)
		assert.Equal(t, "x", got)
	})

	err = pull.Bind("tcp://127.0.0.1:*")
	assert.Equal(t, EADDRINUSE, AsErrno(err))
	assert.ErrorContains(t, err, "SetUseFd(-1)")
	require.NoError(t, pull.Bind(inproc(t)), "it is for tcp and ipc")
	require.NoError(t, pull.Unbind(inproc(t)))
	require.NoError(t, pull.SetUseFd(-1))
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))

	inode, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	require.NoError(t, err)
	require.NoError(t, pull.Close())
	require.Eventually(t, func() bool {
		now, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		return now != inode
	}, limit, time.Millisecond, "libzmq closes it")
}

func TestUseFdRefusesWhatIsNoListener(t *testing.T) {
	ctx := newContext(t)
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	require.NoError(t, err)
	defer syscall.Close(pair[0])
	defer syscall.Close(pair[1])
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer file.Close()
	for _, tt := range []struct {
		name  string
		fd    int
		errno syscall.Errno
	}{
		{"connected", pair[0], syscall.EINVAL},
		{"file", int(file.Fd()), syscall.ENOTSOCK},
		{"closed", 1 << 20, syscall.EBADF},
	} {
		for _, endpoint := range []string{"tcp://127.0.0.1:*", "ipc:///nowhere/x"} {
			soc := newSocket(t, ctx, PULL)
			require.NoError(t, soc.SetUseFd(tt.fd))
			err := soc.Bind(endpoint)
			assert.Equal(t, Errno(tt.errno), AsErrno(err), tt.name)
			assert.ErrorContains(t, err, "SetUseFd", tt.name)
			assert.NoError(t, soc.Connect("tcp://127.0.0.1:1"), "it is for Bind")
		}
	}
}

func TestConnectRidTwice(t *testing.T) {
	ctx := newContext(t)
	a, b := newSocket(t, ctx, ROUTER), newSocket(t, ctx, ROUTER)
	require.NoError(t, a.Bind("inproc://a"))
	require.NoError(t, b.Bind("tcp://127.0.0.1:*"))
	bAddress, err := b.GetLastEndpoint()
	require.NoError(t, err)
	router := newSocket(t, ctx, ROUTER)
	require.NoError(t, router.SetConnectRid("peer"))
	require.NoError(t, router.Connect("inproc://a"))
	require.NoError(t, router.SetConnectRid("peer"))
	err = router.Connect(bAddress)
	assert.Equal(t, EADDRINUSE, AsErrno(err))
	assert.ErrorContains(t, err, "inproc://a")
	require.NoError(t, router.SetConnectRid("other"))
	require.NoError(t, router.Connect(bAddress))
	require.NoError(t, router.Connect("tcp://127.0.0.1:1"), "the identity was for one Connect")
	_, err = router.SendMessage("other", "x")
	require.NoError(t, err)
	bounded(t, "RecvMessage", func() {
		got, err := b.RecvMessage(0)
		require.NoError(t, err)
		assert.Equal(t, "x", got[1])
	})

	stream := newSocket(t, ctx, STREAM)
	for _, want := range []Errno{0, EADDRINUSE} {
		require.NoError(t, stream.SetConnectRid("peer"))
		assert.Equal(t, want, AsErrno(stream.Connect("tcp://127.0.0.1:1")))
	}
	for _, bad := range []string{""} {
		assert.ErrorContains(t, router.SetConnectRid(bad), "1 to 255")
	}
}

func TestRouterRawAndInproc(t *testing.T) {
	ctx := newContext(t)
	router := newSocket(t, ctx, ROUTER)
	require.NoError(t, router.SetRouterRaw(1))
	require.NoError(t, router.SetRouterRaw(0))
	for _, err := range []error{router.Bind(inproc(t)), router.Connect(inproc(t))} {
		assert.Equal(t, ENOCOMPATPROTO, AsErrno(err), "also after 0: libzmq keeps half of it")
		assert.ErrorContains(t, err, "SetRouterRaw")
	}
	require.NoError(t, router.Bind("tcp://127.0.0.1:*"))

	other := newSocket(t, ctx, ROUTER)
	require.NoError(t, other.Bind(inproc(t)))
	require.NoError(t, other.SetRouterRaw(0))
	assert.ErrorContains(t, other.SetRouterRaw(1), "inproc endpoints")
	require.NoError(t, other.Unbind(inproc(t)))
	require.NoError(t, other.SetRouterRaw(1))
	assert.ErrorContains(t, newSocket(t, ctx, PUSH).SetRouterRaw(1), "ROUTER")
}

// Passwords and keys don't get into errors, and so into logs.
func TestErrorsKeepSecrets(t *testing.T) {
	soc := newSocket(t, newContext(t), DEALER)
	secret := strings.Repeat("secret", 50)
	for _, err := range []error{
		soc.SetPlainPassword(secret), soc.SetCurveSecretkey(secret), soc.SetCurveSecretkey("\x00" + secret), soc.SetPlainUsername(secret),
	} {
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
		assert.ErrorContains(t, err, "bytes")
	}
	_, err := AuthCurvePublic(secret)
	assert.NotContains(t, err.Error(), "secret")
}
