package libzmq

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"unsafe"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// socket is pebbe/zmq4's, with libzmq's pointer.
type socket struct {
	*zmq4.Socket
	pointer unsafe.Pointer
}

// open opens a socket that closes with the test.
func open(t *testing.T, typ zmq4.Type) socket {
	t.Helper()
	s, err := zmq4.NewSocket(typ)
	require.NoError(t, err)
	require.NoError(t, s.SetLinger(0))
	t.Cleanup(func() { s.Close() })
	return socket{s, reflect.ValueOf(s).Elem().FieldByName("soc").UnsafePointer()}
}

// pair opens two sockets that are connected, with queues of one message.
func pair(t *testing.T, bound, connected zmq4.Type) (b, c socket) {
	t.Helper()
	b, c = open(t, bound), open(t, connected)
	for _, s := range []socket{b, c} {
		require.NoError(t, s.SetSndhwm(1))
		require.NoError(t, s.SetRcvhwm(1))
	}
	connect(t, b, c)
	return b, c
}

func connect(t *testing.T, b, c socket) {
	t.Helper()
	endpoint := fmt.Sprintf("inproc://%p", b.Socket)
	require.NoError(t, b.Bind(endpoint))
	require.NoError(t, c.Connect(endpoint))
}

func TestSendAndRecv(t *testing.T) {
	pull, push := pair(t, zmq4.PULL, zmq4.PUSH)
	buf := make([]byte, 100)
	for _, size := range []int{0, 1, 99, 100, 101, 1 << 20} {
		data := bytes.Repeat([]byte{'x'}, size)
		for i, flags := range []zmq4.Flag{zmq4.SNDMORE, 0} {
			n, _, errno := Send(push.pointer, data, int(flags), i == 0, false)
			require.Zero(t, errno)
			require.Equal(t, size, n)
		}
		for _, wantMore := range []bool{true, false} {
			var msg Msg
			n, more, _, errno := Recv(pull.pointer, buf, &msg, false)
			require.Zero(t, errno)
			require.Equal(t, size, n)
			require.Equal(t, wantMore, more)
			got := buf[:min(n, len(buf))]
			if n > len(buf) {
				got = make([]byte, n)
				Copy(&msg, got)
			}
			require.Equal(t, data, got)
		}
	}
}

// libzmq's send looks into the mailbox about once a millisecond. What Send
// finds there itself, after an EAGAIN that it can't act on, it must tell: the
// signal for that is used up.
func TestEagainTellsEvents(t *testing.T) {
	told := 0
	for range 200 {
		b, c := open(t, zmq4.PAIR), open(t, zmq4.PAIR)
		_, _, errno := Send(b.pointer, nil, 0, false, false)
		require.Equal(t, syscall.EAGAIN, errno, "there is no peer")
		connect(t, b, c)
		_, events, errno := Send(b.pointer, nil, 0, false, false)
		if errno == 0 {
			continue // it looked
		}
		require.Equal(t, syscall.EAGAIN, errno)
		require.Equal(t, int(zmq4.POLLOUT), events&int(zmq4.POLLOUT))
		told++
	}
	if told == 0 {
		t.Skip("not run: the machine is too slow for a send that doesn't look")
	}
}

// UBSan reports a nil that C passes to memcpy (make asan).
func TestEmptyPartNeedsNoBuffer(t *testing.T) {
	pull, push := pair(t, zmq4.PULL, zmq4.PUSH)
	n, _, errno := Send(push.pointer, nil, 0, true, false)
	require.Zero(t, errno)
	require.Zero(t, n)
	var msg Msg
	n, more, _, errno := Recv(pull.pointer, nil, &msg, false)
	assert.Zero(t, errno)
	assert.Zero(t, n)
	assert.False(t, more)
}

// ARM and others stop the process where a Msg isn't aligned.
func TestMsgIsAligned(t *testing.T) {
	var msg Msg
	assert.Equal(t, unsafe.Alignof(uintptr(0)), unsafe.Alignof(msg))
	assert.Equal(t, unsafe.Sizeof(msg.msg), unsafe.Sizeof(msg))
}

func TestErrno(t *testing.T) {
	var msg Msg
	alone := open(t, zmq4.PUSH)
	n, events, errno := Send(alone.pointer, []byte("x"), 0, true, true)
	assert.Equal(t, syscall.EAGAIN, errno)
	assert.Equal(t, -1, n)
	assert.Zero(t, events)
	_, _, _, errno = Recv(alone.pointer, nil, &msg, false)
	assert.Equal(t, syscall.ENOTSUP, errno)

	n, more, events, errno := Recv(open(t, zmq4.PULL).pointer, make([]byte, 9), &msg, true)
	assert.Equal(t, syscall.EAGAIN, errno)
	assert.Equal(t, -1, n)
	assert.False(t, more)
	assert.Zero(t, events)

	_, _, errno = Send(open(t, zmq4.REP).pointer, nil, 0, true, false)
	assert.Equal(t, syscall.Errno(zmq4.EFSM), errno)
}

func TestEvents(t *testing.T) {
	a, b := pair(t, zmq4.PAIR, zmq4.PAIR)
	in, out := int(zmq4.POLLIN), int(zmq4.POLLOUT)
	assert.Equal(t, out, Events(a.pointer))
	_, events, errno := Send(a.pointer, nil, 0, true, true)
	require.Zero(t, errno)
	assert.Equal(t, out, events)
	assert.Equal(t, in|out, Events(b.pointer))

	var msg Msg
	_, _, events, errno = Recv(b.pointer, nil, &msg, true)
	require.Zero(t, errno)
	assert.Equal(t, out, events)
	_, events, _ = Send(a.pointer, nil, 0, true, false)
	assert.Zero(t, events, "nobody asked for them")
}

func TestSocketType(t *testing.T) {
	assert.Equal(t, int(zmq4.ROUTER), SocketType(open(t, zmq4.ROUTER).pointer))
	assert.Equal(t, -1, SocketType(nil))
	assert.Zero(t, Events(nil))
}

func TestVersions(t *testing.T) {
	major, minor, patch := Loaded()
	wantMajor, wantMinor, wantPatch := zmq4.Version()
	loaded := []int{major, minor, patch}
	assert.Equal(t, []int{wantMajor, wantMinor, wantPatch}, loaded)
	major, minor, patch = Compiled()
	assert.LessOrEqual(t, slices.Compare([]int{major, minor, patch}, loaded), 0)
}

func TestOldHeadersAreRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "zmq.h"), []byte(`
#define ZMQ_MAKE_VERSION(major, minor, patch) (major * 10000 + minor * 100 + patch)
#define ZMQ_VERSION ZMQ_MAKE_VERSION(4, 2, 5)
`), 0o600))
	out, err := exec.Command("cc", "-E", "-I", dir, "libzmq.h").CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), `#error "zmqsafe needs libzmq 4.3 or later, and this zmq.h is older`)
}
