package zmqsafe

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Sizes around smallPart, the largest part received in one call to C.
func TestSizes(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	for _, size := range []int{0, 1, 32, 33, smallPart - 1, smallPart, smallPart + 1, 1 << 20} {
		data := bytes.Repeat([]byte{0xAB}, size)
		n, err := push.SendBytes(data, 0)
		require.NoError(t, err)
		assert.Equal(t, size, n)
		got, err := pull.RecvBytes(0)
		require.NoError(t, err)
		assert.Equal(t, data, got)

		n, err = push.Send(string(data), 0)
		require.NoError(t, err)
		assert.Equal(t, size, n)
		text, err := pull.Recv(0)
		require.NoError(t, err)
		assert.Equal(t, string(data), text)

		n, err = push.SendMessage(data, "", data)
		require.NoError(t, err)
		assert.Equal(t, 2*size, n)
		parts, err := pull.RecvMessageBytes(0)
		require.NoError(t, err)
		assert.Equal(t, [][]byte{data, {}, data}, parts)
	}
}

// Received bytes belong to the caller: the next message doesn't change them.
func TestReceivedIsOwned(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	sent := []byte("first")
	_, err := push.SendBytes(sent, 0)
	require.NoError(t, err)
	copy(sent, "XXXXX")
	_, err = push.Send("other", 0)
	require.NoError(t, err)
	first, err := pull.RecvBytes(0)
	require.NoError(t, err)
	_, err = pull.RecvBytes(0)
	require.NoError(t, err)
	assert.Equal(t, "first", string(first))
}

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
		n, err = pull.RecvIntoContext(t.Context(), buf[:size], 0) // exactly as large as the part
		require.NoError(t, err)
		assert.Equal(t, data, buf[:n])
		requireMore(t, pull, false)
	}
	// An empty part fits into a nil buffer. UBSan checks that C doesn't get nil
	// where that isn't allowed (make asan).
	sendText(t, push, "")
	n, err := pull.RecvInto(nil, 0)
	require.NoError(t, err)
	assert.Zero(t, n)
}

// A part that is too large stays the next to be received, wherever it is in its
// message.
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
			requireMore(t, pull, place > 0) // about the part received before
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
		if n, err := pull.RecvInto(nil, DONTWAIT); err != errAgain { // otherwise the other goroutine was first
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

func sendNumbers(t *testing.T, soc *Socket, n int) {
	t.Helper()
	for i := range n {
		_, err := soc.SendMessage(i, "payload")
		require.NoError(t, err)
	}
}

// Leaving the loop takes no message that wasn't yielded.
func TestMessages(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	const n = 10
	sendNumbers(t, push, n)
	iterator, next := pull.Messages(t.Context()), 0
	for range 2 { // the same iterator goes on
		for message, err := range iterator {
			require.NoError(t, err)
			require.Equal(t, []string{strconv.Itoa(next), "payload"}, texts(message))
			next++
			if next%3 == 0 {
				break
			}
		}
	}
	for next < n {
		message, err := pull.RecvMessage(DONTWAIT)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(next), message[0])
		next++
	}
}

// The last round yields why it is the last.
func TestMessagesEnds(t *testing.T) {
	tests := map[string]struct {
		end  func(t *testing.T, ctx *Context, soc *Socket, cancel func())
		want error
	}{
		"canceled":       {func(_ *testing.T, _ *Context, _ *Socket, cancel func()) { cancel() }, context.Canceled},
		"socket closed":  {func(t *testing.T, _ *Context, soc *Socket, _ func()) { require.NoError(t, soc.Close()) }, ErrorSocketClosed},
		"context closed": {func(t *testing.T, ctx *Context, _ *Socket, _ func()) { require.NoError(t, ctx.Close()) }, ETERM},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			ctx := newContext(t)
			pull, push := newPair(t, ctx, PULL, PUSH, "inproc://messages")
			sendNumbers(t, push, 5)
			bound, cancel := context.WithCancel(t.Context())
			defer cancel()
			received, end := 0, make(chan error, 1)
			go func() {
				for message, err := range pull.Messages(bound) {
					if err != nil {
						assert.Nil(t, message)
						end <- err
						continue // the loop ends by itself
					}
					received++
				}
				close(end)
			}()
			waitUntilBlocked(t, pull, POLLIN)
			tt.end(t, ctx, pull, cancel)
			require.Equal(t, tt.want, waitFor(t, "the last round", end))
			require.NoError(t, waitFor(t, "the end", end))
			require.Equal(t, 5, received)
		})
	}
}

// RCVTIMEO applies to each message, as in Recv.
func TestMessagesRcvtimeo(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	require.NoError(t, pull.SetRcvtimeo(time.Millisecond))
	for range 2 { // a new loop may follow
		sendNumbers(t, push, 3)
		received := 0
		for _, err := range pull.Messages(t.Context()) {
			if err != nil {
				require.Equal(t, Errno(syscall.EAGAIN), err)
				continue
			}
			received++
		}
		require.Equal(t, 3, received)
	}
}

func TestMessagesOfNothing(t *testing.T) {
	var none *Socket
	rounds := 0
	for _, err := range none.Messages(t.Context()) {
		require.ErrorIs(t, err, ErrorSocketClosed)
		rounds++
	}
	require.Equal(t, 1, rounds)
}

// Several loops over one iterator share what arrives: each message goes to one
// of them.
func TestMessagesOfManyGoroutines(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	const n = 2000
	bound, cancel := context.WithCancel(t.Context())
	defer cancel()
	iterator := pull.Messages(bound)
	var received atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for _, err := range iterator {
				if err != nil {
					assert.Equal(t, context.Canceled, err)
				} else if received.Add(1) == n {
					cancel()
				}
			}
		})
	}
	sendNumbers(t, push, n)
	bounded(t, "the loops", wg.Wait)
	require.EqualValues(t, n, received.Load())
}

// libzmq's memory is freed, for small parts and for large ones.
func TestReceivingLeaksNoMemory(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	exchange := func(size, total int) {
		data := bytes.Repeat([]byte{1}, size)
		for range total / size {
			_, err := push.SendBytes(data, 0)
			require.NoError(t, err)
			_, err = pull.RecvBytes(0)
			require.NoError(t, err)
		}
	}
	for _, size := range []int{smallPart, 1 << 20} {
		// Much more than what Go, the race detector and AddressSanitizer keep.
		const total = 512 << 20
		exchange(size, total/4)
		before := residentMemory(t)
		exchange(size, total)
		assert.Less(t, residentMemory(t)-before, total/2, "messages of %d bytes", size)
	}
}

func residentMemory(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory() // gives back what Go no longer uses
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize()
}
