package zmqsafe

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecvInto(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	for _, size := range []int{0, 1, 33, smallPart, smallPart + 1, 1 << 20} {
		data := bytes.Repeat([]byte{0xAB}, size)
		_, err := push.SendMessage(data, "rest", data)
		require.NoError(t, err)
		buf := make([]byte, size+1)
		n, err := pull.RecvInto(buf, 0)
		require.NoError(t, err)
		assert.Equal(t, size, n)
		assert.Equal(t, data, buf[:n])
		assert.Zero(t, buf[n])
		requireMore(t, pull, true)
		n, err = pull.RecvInto(buf, 0)
		if size+1 < len("rest") {
			require.ErrorIs(t, err, EMSGSIZE)
			assert.Equal(t, len("rest"), n)
			_, err = pull.Recv(0)
		}
		require.NoError(t, err)
		requireMore(t, pull, true)
		n, err = pull.RecvIntoContext(t.Context(), buf[:size], 0) // just so large
		require.NoError(t, err)
		assert.Equal(t, data, buf[:n])
		requireMore(t, pull, false)
	}
	// An empty part fits into no buffer at all. UBSan sees whether C is given nil where it takes none (make asan).
	sendText(t, push, "")
	n, err := pull.RecvInto(nil, 0)
	require.NoError(t, err)
	assert.Zero(t, n)
}

// A part that is too large stays the next to be received, wherever it stands in
// its message.
func TestRecvIntoTooLarge(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	large := string(bytes.Repeat([]byte{'x'}, 3*smallPart))
	for place := range 3 {
		message := []string{"a", "b", "c"}
		message[place] = large
		_, err := push.SendMessage(message)
		require.NoError(t, err)
		_, err = push.Send("next", 0)
		require.NoError(t, err)
		for i := range place {
			got, err := pull.Recv(0)
			require.NoError(t, err)
			require.Equal(t, message[i], got)
		}
		for _, size := range []int{0, 10, len(large) - 1} {
			buf := bytes.Repeat([]byte{'-'}, size)
			n, err := pull.RecvInto(buf, DONTWAIT)
			require.ErrorIs(t, err, EMSGSIZE)
			require.ErrorContains(t, err, fmt.Sprint(len(large)))
			require.Equal(t, len(large), n)
			require.Equal(t, bytes.Repeat([]byte{'-'}, size), buf, "untouched")
			requireMore(t, pull, place > 0) // of the part received before
			requireReady(t, pull, POLLIN)
		}
		if place%2 == 0 {
			buf := make([]byte, len(large))
			_, err := pull.RecvInto(buf, 0)
			require.NoError(t, err)
			require.Equal(t, large, string(buf))
			requireMore(t, pull, place < 2)
		}
		if place < 2 {
			got, err := pull.RecvMessage(0)
			require.NoError(t, err)
			require.Equal(t, message[place+1-place%2:], got)
		}
		got, err := pull.RecvMessage(0)
		require.NoError(t, err)
		require.Equal(t, []string{"next"}, got)
	}
}

// A part that is too large for one goroutine goes to another that waits.
func TestRecvIntoTooLargePassesOn(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	for range 100 {
		got := make(chan []string, 1)
		go func() {
			message, err := pull.RecvMessage(0)
			assert.NoError(t, err)
			got <- message
		}()
		_, err := push.SendMessage("large", "part")
		require.NoError(t, err)
		if n, err := pull.RecvInto(nil, DONTWAIT); err != errAgain { // else the other was first
			require.ErrorIs(t, err, EMSGSIZE)
			require.Equal(t, len("large"), n)
		}
		require.Equal(t, []string{"large", "part"}, waitFor(t, "RecvMessage", got))
	}
}

func TestRecvIntoFails(t *testing.T) {
	ctx := newContext(t)
	pull := newSocket(t, ctx, PULL)
	buf := make([]byte, 1)
	n, err := pull.RecvInto(buf, DONTWAIT)
	assert.Equal(t, Errno(syscall.EAGAIN), err)
	assert.Zero(t, n)
	_, err = newSocket(t, ctx, PUSH).RecvInto(buf, 0)
	assert.Equal(t, ENOTSUP, err)
	end := make(chan error, 1)
	go func() {
		_, err := pull.RecvInto(buf, 0)
		end <- err
	}()
	waitUntilBlocked(t, pull, POLLIN)
	require.NoError(t, pull.Close())
	assert.Equal(t, ErrorSocketClosed, waitFor(t, "RecvInto", end))
	var none *Socket
	_, err = none.RecvInto(buf, 0)
	assert.ErrorIs(t, err, ErrorSocketClosed)
}

func TestRecvIntoAllocations(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	for _, size := range []int{16, smallPart, 1 << 16} {
		data, buf := make([]byte, size), make([]byte, size)
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			if _, err := push.SendBytes(data, 0); err != nil {
				t.Error(err)
			}
			if n, err := pull.RecvInto(buf, 0); err != nil || n != size {
				t.Error(n, err)
			}
		}), "%d bytes", size)
	}
}
