package zmqsafe

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/conns"
)

// The last value arrives though the sender ends right after it.
func TestConflateKeepsTheLastValue(t *testing.T) {
	before := handshakeTime
	t.Cleanup(func() { handshakeTime = before })
	handshakeTime = 500 * time.Millisecond // of a busy system
	for _, endpoint := range []string{"tcp://127.0.0.1:*", "ipc://*"} {
		for _, bound := range []bool{true, false} {
			for _, closes := range []bool{true, false} { // the socket, or only the context
				t.Run(fmt.Sprint(endpoint[:3], bound, closes), func(t *testing.T) {
					t.Parallel()
					receiving := newContext(t)
					ctx := newContext(t, WithLinger(linger.MustFor(limit/2)))
					pull, push := newSocket(t, receiving, PULL), newSocket(t, ctx, PUSH)
					require.NoError(t, push.SetConflate(true))
					b, c := pull, push
					if bound {
						b, c = push, pull
					}
					require.NoError(t, b.Bind(endpoint))
					at, err := b.GetLastEndpoint()
					require.NoError(t, err)
					require.NoError(t, c.Connect(at))
					require.NoError(t, pull.SetRcvtimeo(10*time.Millisecond))
					for got := ""; got == ""; got, _ = pull.Recv(0) {
						_, err := push.Send("early", 0)
						require.NoError(t, err)
					}
					// libzmq drops a value while its thread takes another, see
					// SetConflate. So it has nothing to do.
					find := ctx.c.threads.Connected
					if bound {
						find = ctx.c.threads.Accepted
					}
					require.Eventually(t, func() bool {
						look := find(at)
						return look.State == conns.Done && look.Len() == 1
					}, limit, time.Millisecond)
					_, err = push.Send("last", 0)
					require.NoError(t, err)
					if closes {
						bounded(t, "Close of the socket", func() { require.NoError(t, push.Close()) })
					}
					bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
					require.NoError(t, pull.SetRcvtimeo(limit))
					for got := ""; got != "last"; {
						got, err = pull.Recv(0)
						require.NoError(t, err)
					}
				})
			}
		}
	}
}

// Nobody takes the value: the close ends with the linger or the deadline, and
// says so. libzmq itself lets go of the socket at once.
func TestConflateWithADeadPeer(t *testing.T) {
	forgetWarnings()
	var log syncBuffer
	ctx := newContext(t, WithLinger(linger.MustFor(200*time.Millisecond)), WithLogger(log.logger()))
	push := newSocket(t, ctx, PUSH)
	require.NoError(t, push.SetConflate(true))
	require.NoError(t, push.Connect(deadPort(t)))
	_, err := push.Send("last", 0)
	require.NoError(t, err)
	began := time.Now()
	bounded(t, "Close", func() { require.NoError(t, push.Close()) })
	assert.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond, "it waits for the peer")
	log.line(t, "zmqsafe: LINGER ran out; unsent messages may be lost")

	push = newSocket(t, ctx, PUSH) // the context closes it
	require.NoError(t, push.SetConflate(true))
	require.NoError(t, push.Connect(deadPort(t)))
	_, err = push.Send("last", 0)
	require.NoError(t, err)
	bounded(t, "Close of the context", func() { require.NoError(t, ctx.Close()) })
	assert.Len(t, ctx.Report().RanOut(), 2)
}
