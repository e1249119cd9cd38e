package zmqsafe

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

func TestSndbufOption(t *testing.T) {
	soc := newSocket(t, newContext(t), PUSH)
	got, err := soc.GetSndbuf()
	require.NoError(t, err)
	assert.Equal(t, -1, got)
	for value, libzmq := range map[int]int{0: sndbufFloor, 1: sndbufFloor, sndbufFloor: sndbufFloor, 1 << 20: 1 << 20, -1: -1} {
		require.NoError(t, soc.SetSndbuf(value))
		got, err := soc.GetSndbuf()
		require.NoError(t, err)
		assert.Equal(t, value, got, "what was set")
		got, err = soc.s.raw.GetSndbuf()
		require.NoError(t, err)
		assert.Equal(t, libzmq, got, "what libzmq got for %d", value)
	}
	require.NoError(t, soc.SetSndbuf(4096))
	for _, bad := range append(beyondCInt[int](), -2) {
		err := soc.SetSndbuf(bad)
		assert.ErrorIs(t, err, Errno(syscall.EINVAL))
		assert.ErrorContains(t, err, "SetSndbuf")
	}
	got, err = soc.GetSndbuf()
	require.NoError(t, err)
	assert.Equal(t, 4096, got, "a value that is refused changes nothing")
}

// newSmall returns a PUSH that is connected to a PULL. All that can be small
// between them is.
func newSmall(t *testing.T, sender *Context) (push, pull *Socket) {
	t.Helper()
	push, pull = newSocket(t, sender, PUSH), newSocket(t, newContext(t), PULL)
	require.NoError(t, pull.SetRcvhwm(10))
	require.NoError(t, pull.SetRcvbuf(4096))
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	last, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, push.SetSndbuf(4096))
	require.NoError(t, push.SetSndhwm(0))
	require.NoError(t, push.Connect(last))
	return push, pull
}

// What libzmq has taken out of its queue for a slow reader is sent, too.
func TestSmallSendBufferLosesNothing(t *testing.T) {
	const messages = 300
	for i := range 6 {
		closes := i%2 == 0 // the socket, or only the context
		t.Run(fmt.Sprintf("%d, %v", i, closes), func(t *testing.T) {
			t.Parallel()
			sender := newContext(t, WithLinger(linger.Forever))
			push, pull := newSmall(t, sender)
			for range messages {
				_, err := push.SendBytes(make([]byte, 500), 0)
				require.NoError(t, err)
			}
			done := make(chan error, 1)
			go func() {
				if closes {
					_ = push.Close()
				}
				done <- sender.Term()
			}()
			require.NoError(t, pull.SetRcvtimeo(limit))
			for n := range messages {
				_, err := pull.RecvBytes(0)
				require.NoError(t, err, "after %d", n)
				time.Sleep(time.Millisecond) // it is slow
			}
			require.NoError(t, waitFor(t, "Term", done))
		})
	}
}

// A reader that takes nothing holds up a close until the linger or the deadline
// ends.
func TestSmallSendBufferAndAStalledReader(t *testing.T) {
	const short = 150 * time.Millisecond
	for name, c := range map[string]struct {
		linger linger.Policy
		bound  time.Duration
		want   error
	}{
		"linger":   {linger.MustFor(short), limit, nil},
		"deadline": {linger.Forever, short, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log syncBuffer
			sender, err := NewContextWith(WithLinger(c.linger), WithLogger(log.logger()))
			require.NoError(t, err)
			push, _ := newSmall(t, sender)
			for range 300 {
				_, err := push.SendBytes(make([]byte, 5000), 0)
				require.NoError(t, err)
			}
			bound, cancel := context.WithTimeout(t.Context(), c.bound)
			defer cancel()
			began := time.Now()
			bounded(t, "Shutdown", func() { err = sender.Shutdown(bound) })
			require.ErrorIs(t, err, c.want)
			assert.GreaterOrEqual(t, time.Since(began), short*8/10)
			log.has(t, "unsent messages may be lost")
			bounded(t, "the rest", func() { _ = sender.Shutdown(context.Background()) })
			assert.Len(t, sender.Report().RanOut(), 1)
		})
	}
}
