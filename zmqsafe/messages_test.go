package zmqsafe

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	for range 2 { // the same iterator again goes on
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

// The last round says why it is the last.
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
						continue // it ends of itself
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

// RCVTIMEO counts for each message, as in Recv.
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

// Many loops over one iterator share what arrives: each message is for one.
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
