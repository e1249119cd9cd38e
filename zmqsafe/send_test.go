package zmqsafe

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSendMessageParts(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	tests := []struct {
		parts []any
		want  []string
	}{
		{[]any{"a"}, []string{"a"}},
		{[]any{"a", []byte("b"), 3, nil, 1.5}, []string{"a", "b", "3", "<nil>", "1.5"}},
		{[]any{[]string{"a", "b"}, [][]byte{[]byte("c"), {}}, "d"}, []string{"a", "b", "c", "", "d"}},
		{[]any{[]string{}, "a", [][]byte{}, []string{}}, []string{"a"}},
		{[]any{fmt.Errorf("text")}, []string{"text"}},
	}
	for _, tt := range tests {
		n, err := push.SendMessage(tt.parts...)
		require.NoError(t, err)
		assert.Equal(t, len(strings.Join(tt.want, "")), n)
		got, err := pull.RecvMessage(0)
		require.NoError(t, err)
		assert.Equal(t, tt.want, got)
	}
	n, err := push.SendMessage([]string{}, [][]byte{})
	require.NoError(t, err)
	assert.Zero(t, n)
	_, err = pull.Recv(DONTWAIT)
	assert.Equal(t, Errno(syscall.EAGAIN), err, "nothing was sent")
}

func TestPartByPart(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	_, err := push.Send("a", SNDMORE)
	require.NoError(t, err)
	_, err = push.SendBytes([]byte("b"), SNDMORE|DONTWAIT)
	require.NoError(t, err)
	_, err = push.SendMessage("c", "d")
	require.NoError(t, err)
	first, err := pull.Recv(0)
	require.NoError(t, err)
	more, err := pull.GetRcvmore()
	require.NoError(t, err)
	assert.True(t, more)
	rest, err := pull.RecvMessage(0)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "c", "d"}, append([]string{first}, rest...))
	more, err = pull.GetRcvmore()
	require.NoError(t, err)
	assert.False(t, more)
}

func TestMessagesOfManyGoroutinesDontInterleave(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	const goroutines, messages = 8, 500
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range messages {
				id := fmt.Sprint(g, "/", i)
				_, err := push.SendMessage(id, []string{id, id}, id)
				assert.NoError(t, err)
			}
		})
	}
	for range goroutines * messages {
		parts, err := pull.RecvMessage(0)
		require.NoError(t, err)
		require.Len(t, parts, 4)
		for _, part := range parts {
			require.Equal(t, parts[0], part)
		}
	}
	wg.Wait()
}

// The peer that has the first part of a message goes away. libzmq drops the
// rest; the next peer gets whole messages.
func TestPeerGoneWithinMessage(t *testing.T) {
	for _, flags := range []Flag{0, DONTWAIT} {
		for _, typ := range []Type{PUSH, DEALER} {
			ctx := newContext(t)
			for i := range 100 {
				push := newSocket(t, ctx, typ) // never more than two peers, see "What it can't do" in doc.go
				firstName, nextName := fmt.Sprint("inproc://first-", i), fmt.Sprint("inproc://next-", i)
				first, next := peerOf(t, ctx, typ), peerOf(t, ctx, typ)
				require.NoError(t, first.Bind(firstName))
				require.NoError(t, push.Connect(firstName))
				_, err := push.SendMessage("whole", "message")
				require.NoError(t, err)
				_, err = push.Send("torn", SNDMORE)
				require.NoError(t, err)
				require.NoError(t, first.Close())
				require.NoError(t, next.Bind(nextName))
				require.NoError(t, push.Connect(nextName))
				for range i % 5 { // so that the pipe is in each of its states once
					_, err := push.GetEvents()
					require.NoError(t, err)
				}
				if _, err = push.Send("rest", flags); err != nil {
					require.Equal(t, DONTWAIT, flags)
					require.Equal(t, Errno(syscall.EAGAIN), err)
				}
				// Some messages may still go to the first peer.
				require.NoError(t, next.SetRcvtimeo(time.Millisecond))
				for {
					_, err = push.SendMessage("whole", "message")
					require.NoError(t, err)
					got, err := next.RecvMessage(0)
					if err == nil {
						require.Equal(t, []string{"whole", "message"}, got)
						break
					}
					require.Equal(t, Errno(syscall.EAGAIN), err)
				}
				require.NoError(t, next.Close())
				require.NoError(t, push.Close())
			}
		}
	}
}

// Peers come and go while multipart messages are sent: whatever arrives is
// whole.
func TestPeersComeAndGo(t *testing.T) {
	for _, endpoint := range []string{inproc(t), "tcp://127.0.0.1:*"} {
		ctx := newContext(t)
		push := newSocket(t, ctx, PUSH)
		require.NoError(t, push.SetSndhwm(4))
		require.NoError(t, push.Bind(endpoint))
		endpoint, err := push.GetLastEndpoint()
		require.NoError(t, err)
		done, finish := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for i := 0; done.Err() == nil; i++ {
					id := fmt.Sprint(i)
					if _, err := push.SendMessageContext(done, id, id, id, id, id); err != nil {
						assert.ErrorIs(t, err, context.Canceled)
					}
				}
			})
		}
		for range 150 {
			pull := newSocket(t, ctx, PULL)
			require.NoError(t, pull.SetRcvhwm(1))
			require.NoError(t, pull.Connect(endpoint))
			for range 3 {
				parts, err := pull.RecvMessage(0)
				require.NoError(t, err)
				require.Len(t, parts, 5)
				for _, part := range parts {
					require.Equal(t, parts[0], part)
				}
			}
			require.NoError(t, pull.Close())
		}
		finish()
		bounded(t, "senders", wg.Wait)
	}
}

func peerOf(t *testing.T, ctx *Context, typ Type) *Socket {
	t.Helper()
	if typ == PUSH {
		return newSocket(t, ctx, PULL)
	}
	return newSocket(t, ctx, DEALER)
}

func TestHotPathAllocations(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	data := make([]byte, 16)
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		_, err := push.SendBytes(data, 0)
		if err != nil {
			t.Error(err)
		}
	}), 0.0, "SendBytes")
	assert.LessOrEqual(t, testing.AllocsPerRun(50, func() {
		if _, err := pull.RecvBytes(0); err != nil {
			t.Error(err)
		}
	}), 1.0, "RecvBytes: the message")
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		if _, err := push.Send("text", 0); err != nil {
			t.Error(err)
		}
	}), 0.0, "Send")
}
