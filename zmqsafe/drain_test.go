package zmqsafe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testQuiet = 50 * time.Millisecond

// stopped is a context that is done.
func stopped() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// drainPair returns two connected sockets whose context logs to log.
func drainPair(t *testing.T, log *syncBuffer, typ, peer Type, endpoint string) (soc, sender *Socket) {
	t.Helper()
	ctx := newContext(t, WithLogger(log.logger()))
	sender, soc = newPair(t, ctx, peer, typ, endpoint)
	require.NoError(t, sender.SetRcvtimeo(limit))
	if typ == SUB {
		for range 2 { // it must be removed twice
			require.NoError(t, soc.SetSubscribe("a"))
		}
	}
	if typ == SUB {
		_, err := sender.Recv(0) // the subscription
		require.NoError(t, err)
	}
	return soc, sender
}

// What was sent before the stop and what comes after it are received, and
// nothing is left when it is quiet.
func TestDrain(t *testing.T) {
	for _, types := range [][2]Type{{PULL, PUSH}, {DEALER, DEALER}, {ROUTER, DEALER}, {PAIR, PAIR}, {SUB, XPUB}} {
		for _, transport := range []string{"inproc", "tcp"} {
			t.Run(fmt.Sprint(types[0], " ", transport), func(t *testing.T) {
				var log syncBuffer
				endpoint := "tcp://127.0.0.1:*"
				if transport == "inproc" {
					endpoint = "inproc://" + strings.ReplaceAll(t.Name(), "/", "-")
				}
				soc, sender := drainPair(t, &log, types[0], types[1], endpoint)
				send := func(n int) {
					_, err := sender.SendMessage("a", n)
					require.NoError(t, err)
				}
				stop, cancel := context.WithCancel(t.Context())
				defer cancel()
				for n := range 10 {
					send(n)
				}
				received := 0
				drained, err := soc.DrainFunc(stop, limit/2, limit, func(message [][]byte) error {
					assert.Equal(t, fmt.Sprint(received), string(message[len(message)-1]))
					switch received++; received {
					case 5:
						cancel() // the rest has been sent, and has arrived or will
					case 10:
						if types[0] == SUB {
							assertUnsubscribed(t, sender, "a")
							return errEnough
						}
						send(10)
					case 11:
						return errEnough
					}
					return nil
				})
				require.Equal(t, errEnough, err)
				wanted := 6
				if types[0] == SUB {
					wanted = 5
				}
				assert.EqualValues(t, wanted, drained.Messages, "after the stop")
				assert.False(t, drained.Quiet)

				drained, err = soc.DrainFunc(stopped(), testQuiet, limit, func([][]byte) error { return errEnough })
				require.NoError(t, err)
				assert.True(t, drained.Quiet)
				assert.GreaterOrEqual(t, drained.Took, testQuiet)
				assert.Zero(t, drained.Messages)
				log.has(t, `"msg":"zmqsafe: socket drained"`)
				require.NoError(t, soc.ctx.Close())
				for _, s := range soc.ctx.Report().Sockets {
					if s.Type == types[0] && s.Drained.Messages > 0 {
						assert.EqualValues(t, wanted, s.Drained.Messages)
						assert.True(t, s.Drained.Quiet)
						assert.Zero(t, s.Unread)
					}
				}
			})
		}
	}
}

var errEnough = errors.New("enough")

// assertUnsubscribed waits until an XPUB has learned it.
func assertUnsubscribed(t *testing.T, xpub *Socket, filter string) {
	t.Helper()
	message, err := xpub.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "\x00"+filter, message)
}

// A feed that doesn't stop ends the drain by time, and the close counts what is
// left.
func TestDrainOfABusyFeed(t *testing.T) {
	var log syncBuffer
	soc, sender := drainPair(t, &log, PULL, PUSH, inproc(t))
	done := make(chan error)
	go func() {
		var err error
		for err == nil {
			_, err = sender.Send("a", 0)
		}
		done <- err
	}()
	received := uint64(0)
	began := time.Now()
	for message, err := range soc.Drain(stopped(), 5*testQuiet, 5*testQuiet) {
		require.NoError(t, err)
		require.Len(t, message, 1)
		received++
	}
	assert.GreaterOrEqual(t, time.Since(began), 5*testQuiet)
	drained := soc.ctx.Sockets()[1].Drained
	assert.Equal(t, received, drained.Messages)
	assert.False(t, drained.Quiet)
	log.has(t, "zmqsafe: socket drained")
	line := log.lines(t)[0]
	assert.Equal(t, "INFO", line["level"])
	assert.Equal(t, "zmqsafe: socket drained", line["msg"])
	assert.Equal(t, false, line["quiet"])
	assert.EqualValues(t, received, line["messages"])
	ready(t, soc)
	require.NoError(t, soc.Close())
	require.NoError(t, sender.Close())
	assert.Error(t, waitFor(t, "sender", done))
	require.NoError(t, soc.ctx.Close())
	require.Len(t, soc.ctx.Report().Unread, 1)
	assert.Positive(t, soc.ctx.Report().Unread[0].Messages)
}

// It is quiet if nothing has come for the quiet time when time ends it.
func TestDrainThatIsQuietAtItsEnd(t *testing.T) {
	const all = 10 * testQuiet
	var log syncBuffer
	soc, sender := drainPair(t, &log, PULL, PUSH, inproc(t))
	drained, err := soc.DrainFunc(stopped(), all, all, func([][]byte) error { return nil })
	require.NoError(t, err)
	assert.True(t, drained.Quiet)
	drained, err = ProxyDrain(stopped(), soc, sender, nil, all, all)
	require.NoError(t, err)
	assert.True(t, drained.Quiet)
}

// A deadline of stop ends it, too, and leaves time to close.
func TestDrainEndsBeforeADeadline(t *testing.T) {
	var log syncBuffer
	soc, _ := drainPair(t, &log, PULL, PUSH, inproc(t))
	stop, cancel := context.WithTimeout(t.Context(), 10*testQuiet)
	bound := newStopped(stop)
	cancel()
	deadline, _ := bound.Deadline()
	bounds := drainBounds{within: limit}.from(bound)
	assert.False(t, bounds.end.After(deadline))
	drained, err := soc.DrainFunc(bound, limit, limit, func([][]byte) error { return nil })
	require.NoError(t, err)
	assert.False(t, drained.Quiet)
	assert.Less(t, drained.Took, limit/2)
}

// newStopped returns a done context with the deadline of another.
func newStopped(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// A REP answers the requests that are there, and doesn't wait for more. A REQ
// waits for its reply.
func TestDrainOfRequests(t *testing.T) {
	var log syncBuffer
	rep, dealer := drainPair(t, &log, REP, DEALER, inproc(t))
	for range 3 {
		_, err := dealer.SendMessage("", "request")
		require.NoError(t, err)
	}
	drained, err := rep.DrainFunc(stopped(), limit, limit, func(message [][]byte) error {
		_, err := rep.SendMessage(message)
		return err
	})
	require.NoError(t, err)
	assert.EqualValues(t, 3, drained.Messages)
	assert.True(t, drained.Quiet)
	assert.Less(t, drained.Took, limit)
	for range 3 {
		_, err := dealer.RecvMessage(0)
		require.NoError(t, err)
	}

	req, router := drainPair(t, &log, REQ, ROUTER, "inproc://"+t.Name()+"-2")
	_, err = req.Send("request", 0)
	require.NoError(t, err)
	request, err := router.RecvMessage(0)
	require.NoError(t, err)
	drained, err = req.DrainFunc(stopped(), 0, testQuiet, func([][]byte) error { return nil })
	require.NoError(t, err)
	assert.False(t, drained.Quiet, "the reply is missing")
	go func() {
		waitUntilBlocked(t, req, POLLIN)
		_, err := router.SendMessage(request)
		assert.NoError(t, err)
	}()
	drained, err = req.DrainFunc(stopped(), 0, limit, func([][]byte) error { return nil })
	require.NoError(t, err)
	assert.EqualValues(t, 1, drained.Messages)
	assert.True(t, drained.Quiet)
}

// Loops that share a socket share its quiet.
func TestDrainByMany(t *testing.T) {
	const messages = 50
	var log syncBuffer
	soc, sender := drainPair(t, &log, PULL, PUSH, inproc(t))
	_, err := sender.Send("0", 0)
	require.NoError(t, err)
	var mu sync.Mutex
	var last time.Time
	sum, n := uint64(0), 1
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			drained, err := soc.DrainFunc(stopped(), 10*testQuiet, limit, func([][]byte) error {
				mu.Lock()
				defer mu.Unlock()
				last = time.Now()
				if n++; n <= messages { // one after another, each in less than quiet
					_, err := sender.Send("0", 0)
					return err
				}
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			assert.NoError(t, err)
			assert.True(t, drained.Quiet)
			assert.Greater(t, n, messages, "it ends with the others")
			sum += drained.Messages
		})
	}
	all.Wait()
	assert.EqualValues(t, messages, sum)
	log.has(t, "zmqsafe: socket drained")
	assert.Equal(t, 1, strings.Count(log.String(), "zmqsafe: socket drained"), "once")
	assert.EqualValues(t, messages, soc.ctx.Sockets()[1].Drained.Messages)
	assert.False(t, last.IsZero())
}

// A SUB gets nothing that it has unsubscribed from, and can subscribe again.
func TestDrainOfASUBIsForItsFilters(t *testing.T) {
	var log syncBuffer
	soc, sender := drainPair(t, &log, SUB, XPUB, inproc(t))
	for _, filter := range []string{"b", "cc"} {
		require.NoError(t, soc.SetSubscribe(filter))
		_, err := sender.Recv(0)
		require.NoError(t, err)
	}
	for _, text := range []string{"a1", "b1", "cc", "a2", "b2"} {
		sendText(t, sender, text)
	}
	require.NoError(t, soc.SetUnsubscribe("b"))
	require.NoError(t, soc.SetUnsubscribe("never"))
	var got []string
	drain := func() {
		got = nil
		for message, err := range soc.Drain(stopped(), testQuiet, limit) {
			require.NoError(t, err)
			got = append(got, string(message[0]))
		}
	}
	drain()
	assert.Equal(t, []string{"a1", "cc", "a2"}, got)
	for range 3 { // b, a, cc
		message, err := sender.Recv(0)
		require.NoError(t, err)
		assert.Equal(t, byte(0), message[0])
	}
	require.NoError(t, soc.SetSubscribe("d"))
	_, err := sender.Recv(0)
	require.NoError(t, err)
	sendText(t, sender, "a3")
	sendText(t, sender, "d1")
	drain()
	assert.Equal(t, []string{"d1"}, got)

	// An inverted one keeps its filters: without them it would get everything.
	require.NoError(t, soc.SetSubscribe("d"))
	require.NoError(t, soc.SetInvertMatching(1))
	drain()
	assert.Empty(t, got)
	assert.Equal(t, map[string]int{"d": 1}, soc.s.filters.added)
}

func TestDrainFails(t *testing.T) {
	var log syncBuffer
	soc, sender := drainPair(t, &log, PULL, PUSH, inproc(t))
	nothing := func([][]byte) error { return nil }
	for _, bounds := range [][2]time.Duration{{-1, 1}, {0, 0}, {2, 1}} {
		_, err := soc.DrainFunc(stopped(), bounds[0], bounds[1], nothing)
		assert.Equal(t, Errno(syscall.EINVAL), AsErrno(err), bounds)
		_, err = ProxyDrain(stopped(), soc, sender, nil, bounds[0], bounds[1])
		assert.Equal(t, Errno(syscall.EINVAL), AsErrno(err), bounds)
	}
	sendText(t, sender, "a")
	_, err := soc.DrainFunc(t.Context(), 0, limit, func([][]byte) error { return errEnough })
	assert.Equal(t, errEnough, err, "before the stop")
	_, err = sender.DrainFunc(stopped(), 0, limit, nothing)
	assert.Equal(t, ENOTSUP, AsErrno(err), "a socket that only sends")

	ended := make(chan error)
	for _, stop := range []context.Context{t.Context(), stopped()} {
		soc, _ := drainPair(t, &log, PULL, PUSH, "inproc://"+t.Name()+"-close")
		go func() {
			_, err := soc.DrainFunc(stop, limit, limit, nothing)
			ended <- err
		}()
		waitUntilBlocked(t, soc, POLLIN)
		require.NoError(t, soc.Close())
		assert.Equal(t, ErrorSocketClosed, waitFor(t, "Drain", ended))
	}
	_, err = (*Socket)(nil).DrainFunc(stopped(), 0, limit, nothing)
	assert.Error(t, err)

	// RCVTIMEO ends the loop as that of Messages, but only before the stop.
	require.NoError(t, soc.SetRcvtimeo(time.Millisecond))
	_, err = soc.DrainFunc(t.Context(), 0, limit, nothing)
	assert.Equal(t, errAgain, err)
	drained, err := soc.DrainFunc(stopped(), testQuiet, limit, nothing)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, drained.Took, testQuiet)
}
