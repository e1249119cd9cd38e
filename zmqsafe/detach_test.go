package zmqsafe

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// acknowledged are patterns in which the peer has a message when the sender
// detaches: it was received, and where the pattern allows it answered.
var acknowledged = []struct {
	sender, receiver Type
	answers          bool
}{
	{PUSH, PULL, false},
	{PUB, SUB, false},
	{XPUB, SUB, false},
	{DEALER, DEALER, true},
	{DEALER, REP, true},
	{REQ, REP, true},
}

// A warning is for messages that may be lost: who detaches when all is sent
// sees none, even a thousand times.
func TestDetachWhenAllIsSent(t *testing.T) {
	rounds := 1000 / (2 * 2 * len(acknowledged)) // for each of the combinations below
	for _, p := range acknowledged {
		for _, transport := range []string{"tcp://127.0.0.1:*", "ipc://*"} {
			for _, bound := range []bool{true, false} {
				t.Run(fmt.Sprintf("%v-%v %s %v", p.sender, p.receiver, transport[:3], bound), func(t *testing.T) {
					var log syncBuffer
					ctx := newContext(t, WithLinger(linger.MustFor(5*time.Second)), WithLogger(log.logger()))
					sender, receiver := newSocket(t, ctx, p.sender), newSocket(t, ctx, p.receiver)
					require.NoError(t, receiver.SetLinger(0))
					if p.receiver == SUB {
						require.NoError(t, receiver.SetSubscribe(""))
					}
					for range rounds {
						detach := attachFor(t, sender, receiver, transport, bound)
						sendUntilReceived(t, sender, receiver)
						if p.answers {
							acknowledge(t, receiver, sender)
						}
						require.NoError(t, detach())
					}
					bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
					require.Empty(t, log.lines(t))
					require.Len(t, ctx.Report().Detached, 2)
					d := ctx.Report().Detached[0]
					assert.Equal(t, Gone, d.Outcome)
					assert.Zero(t, d.MayLose)
					assert.Equal(t, bound, d.Bound)
					assert.Equal(t, rounds, d.Times)
					assert.GreaterOrEqual(t, d.Accepted, uint64(rounds))
					assert.Contains(t, d.Site, "detach_test.go:")
				})
			}
		}
	}
}

// forgetWarnings makes each line of the program log its warnings once more.
func forgetWarnings() {
	warnings.mu.Lock()
	defer warnings.mu.Unlock()
	clear(warnings.due)
}

// patiently lets Unbind and Disconnect wait for a peer that a slow machine
// makes slow.
func patiently(t *testing.T) {
	old := detachWait
	detachWait = limit / 2
	t.Cleanup(func() { detachWait = old })
}

// attachFor connects two sockets, and returns what detaches the sender. The
// receiver is detached after that.
func attachFor(t *testing.T, sender, receiver *Socket, endpoint string, bound bool) (detach func() error) {
	t.Helper()
	b, c := receiver, sender
	if bound {
		b, c = sender, receiver
	}
	require.NoError(t, b.Bind(endpoint))
	at, err := b.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, c.Connect(at))
	return func() error {
		if bound {
			defer receiver.Disconnect(at)
			return sender.Unbind(at)
		}
		defer receiver.Unbind(at)
		return sender.Disconnect(at)
	}
}

// sendUntilReceived sends one message, or as many as it takes until a SUB has
// subscribed. So the sender is connected.
func sendUntilReceived(t *testing.T, sender, receiver *Socket) {
	t.Helper()
	require.NoError(t, receiver.SetRcvtimeo(limit))
	if typ, _ := receiver.GetType(); typ == SUB {
		require.NoError(t, receiver.SetRcvtimeo(time.Millisecond))
	}
	tag := fmt.Sprint(time.Now().UnixNano()) // a SUB may have older messages
	message := []string{tag}
	if typ, _ := sender.GetType(); typ == DEALER {
		message = []string{"", tag} // as a REP wants it
	}
	for deadline := time.Now().Add(limit); ; {
		_, err := sender.SendMessage(message)
		require.NoError(t, err)
		got, err := receiver.RecvMessage(0)
		if err == nil && got[len(got)-1] == tag {
			break
		}
		require.True(t, time.Now().Before(deadline), "%v", err)
	}
	for err := error(nil); err == nil; { // what else a PUB has sent meanwhile
		_, err = receiver.RecvMessage(DONTWAIT)
	}
}

func acknowledge(t *testing.T, receiver, sender *Socket) {
	t.Helper()
	_, err := receiver.SendMessage("answer")
	require.NoError(t, err)
	require.NoError(t, sender.SetRcvtimeo(limit))
	_, err = sender.RecvMessage(0)
	require.NoError(t, err)
}

// stuck returns a sender with messages that its peer, which reads none, can't
// take.
func stuck(t *testing.T, ctx *Context, typ, peer Type, endpoint string, bound bool) (sender, receiver *Socket, detach func() error) {
	t.Helper()
	sender, receiver = newSocket(t, ctx, typ), newSocket(t, ctx, peer)
	require.NoError(t, receiver.SetRcvhwm(1))
	require.NoError(t, sender.SetSndhwm(0))
	detach = attachFor(t, sender, receiver, endpoint, bound)
	for range 1000 {
		_, err := sender.SendBytes(make([]byte, 10_000), 0)
		require.NoError(t, err)
	}
	return sender, receiver, detach
}

func TestUnbindWithUnsentMessages(t *testing.T) {
	for _, tt := range []struct{ sender, receiver Type }{{PUSH, PULL}, {DEALER, DEALER}, {PAIR, PAIR}} {
		for _, endpoint := range []string{"tcp://127.0.0.1:*", "tcp://*:*", "ipc://*"} {
			if tt.sender != PUSH && endpoint != "ipc://*" {
				continue // they differ in nothing here
			}
			t.Run(fmt.Sprintf("%v %s", tt.sender, endpoint), func(t *testing.T) {
				forgetWarnings()
				var log syncBuffer
				ctx := newContext(t, WithLinger(linger.MustFor(5*time.Second)), WithLogger(log.logger()))
				sender, receiver := newSocket(t, ctx, tt.sender), newSocket(t, ctx, tt.receiver)
				require.NoError(t, receiver.SetRcvhwm(1))
				require.NoError(t, sender.SetSndhwm(0))
				require.NoError(t, receiver.SetLinger(0))
				for range 2 {
					require.NoError(t, sender.Bind(endpoint))
					at, err := sender.GetLastEndpoint()
					require.NoError(t, err)
					require.NoError(t, receiver.Connect(strings.Replace(at, "0.0.0.0", "127.0.0.1", 1)))
					for range 1000 {
						_, err := sender.SendBytes(make([]byte, 10_000), 0)
						require.NoError(t, err)
					}
					require.NoError(t, sender.Unbind(endpoint)) // twice on this line
					require.NoError(t, receiver.Disconnect(strings.Replace(at, "0.0.0.0", "127.0.0.1", 1)))
				}
				line := log.line(t, "zmqsafe: Unbind drops what isn't sent yet; unsent messages may be lost")
				assert.EqualValues(t, 1000, line["may_lose"])
				assert.Contains(t, line["at"], "detach_test.go:")
				assert.Contains(t, line["made_at"], "main_test.go:")
				open := ctx.Report().Detached
				bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
				r := ctx.Report()
				require.Len(t, r.Detached, 2, "%v", r)
				d := r.Detached[0]
				assert.Equal(t, d, open[0])
				assert.Equal(t, line["at"], d.Site)
				assert.Equal(t, RanOut, d.Outcome)
				assert.Equal(t, uint64(2000), d.MayLose, "a socket loses a message once")
				assert.Equal(t, uint64(2000), d.Accepted)
				assert.Equal(t, 2, d.Times)
				assert.Equal(t, tt.sender, d.Type)
				assert.True(t, d.Bound)
				lost := d.String() + ": 2000 at most"
				assert.Contains(t, r.String(), "; messages may be lost by "+lost)
				assert.Contains(t, r.LogValue().String(), "detached="+lost)
				text, err := json.Marshal(r)
				require.NoError(t, err)
				assert.Contains(t, string(text), `"detached":[{"detached_at":"`+d.Site+`","times":2,`)
				assert.Contains(t, string(text), `"bound":true,"linger":"5s","accepted":2000,"outcome":"ran out","may_lose":2000,"endpoints":[`)
				assert.Equal(t, Gone, r.Detached[1].Outcome, "the receiver has sent nothing")
				log.reset()
			})
		}
	}
}

// A reader that is slow, but reads within the time, loses nothing: Unbind waits
// for it.
func TestUnbindWaitsForASlowReader(t *testing.T) {
	patiently(t)
	var log syncBuffer
	ctx := newContext(t, WithLinger(linger.MustFor(limit)), WithLogger(log.logger()))
	sender, receiver, _ := stuck(t, ctx, PUSH, PULL, "tcp://127.0.0.1:*", true)
	received := make(chan int)
	go func() {
		n := 0
		for range receiver.Messages(t.Context()) {
			if n++; n == 1000 {
				break
			}
		}
		received <- n
	}()
	bounded(t, "Unbind", func() { require.NoError(t, sender.Unbind("tcp://127.0.0.1:*")) })
	require.Equal(t, 1000, waitFor(t, "all messages", received))
	require.Empty(t, log.lines(t))
}

// An inproc peer has every message at once.
func TestDetachInprocLosesNothing(t *testing.T) {
	for _, bound := range []bool{true, false} {
		var log syncBuffer
		ctx := newContext(t, WithLinger(linger.MustFor(limit)), WithLogger(log.logger()))
		push, pull := newSocket(t, ctx, PUSH), newSocket(t, ctx, PULL)
		b, c := pull, push
		if bound {
			b, c = push, pull
		}
		require.NoError(t, b.Bind(inproc(t)))
		require.NoError(t, c.Connect(inproc(t)))
		for range 100 {
			_, err := push.Send("message", 0)
			require.NoError(t, err)
		}
		if bound {
			require.NoError(t, push.Unbind(inproc(t)))
		} else {
			require.NoError(t, push.Disconnect(inproc(t)))
		}
		for range 100 {
			_, err := pull.Recv(DONTWAIT)
			require.NoError(t, err)
		}
		require.NoError(t, ctx.Close())
		require.Empty(t, log.lines(t))
		assert.Equal(t, Gone, ctx.Report().Detached[0].Outcome)
	}
}

// deadPort returns an endpoint that nobody listens on, at an address that
// hardly anybody else uses: the port stays free.
func deadPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+rand.IntN(254), rand.IntN(255), 1+rand.IntN(254)))
	require.NoError(t, err)
	defer l.Close()
	return "tcp://" + l.Addr().String()
}

// A Disconnect with a long linger holds zmq_ctx_term, whatever the deadline.
// The error and the report name it.
func TestDisconnectHoldsTheContext(t *testing.T) {
	for _, lingers := range []time.Duration{-1, 30 * time.Second} {
		t.Run(lingers.String(), func(t *testing.T) {
			var log syncBuffer
			ctx, err := NewContextWith(WithLogger(log.logger()), WithCloseTimeout(200*time.Millisecond))
			require.NoError(t, err)
			push := newSocket(t, ctx, PUSH)
			require.NoError(t, push.SetLinger(lingers))
			at := deadPort(t)
			require.NoError(t, push.Connect(at))
			for range 10 {
				_, err = push.Send("job", 0)
				require.NoError(t, err)
			}
			require.NoError(t, push.Disconnect(at))
			require.NoError(t, push.SetLinger(0), "it doesn't reach what is disconnected")
			bounded(t, "Close", func() { err = ctx.Close() })
			require.ErrorIs(t, err, context.DeadlineExceeded)
			r := ctx.Report()
			require.Len(t, r.Detached, 1)
			d := r.Detached[0]
			assert.Equal(t, Holding, d.Outcome)
			assert.Equal(t, 1, d.Open)
			assert.Equal(t, lingers < 0, d.Until.IsZero())
			for _, want := range []string{"unsent messages may be lost", "Disconnect at " + d.Site, at} {
				assert.ErrorContains(t, err, want)
				assert.Contains(t, r.String()+" unsent messages may be lost", want)
			}
			line := log.line(t, "zmqsafe: context not closed in time; unsent messages may be lost")
			assert.Contains(t, line["disconnected"], "Disconnect at "+d.Site)

			// The peer comes, and libzmq sends it everything.
			other := newContext(t)
			pull := newSocket(t, other, PULL)
			require.NoError(t, pull.Bind(at))
			for range 10 {
				bounded(t, "Recv", func() { _, err = pull.Recv(0) })
				require.NoError(t, err)
			}
			bounded(t, "zmq_ctx_term", func() { require.NoError(t, ctx.Shutdown(context.Background())) })
			assert.Equal(t, Gone, ctx.Report().Detached[0].Outcome)
		})
	}
}

// A Disconnect whose linger is over, or ends with the context, may have lost
// messages: nobody knows.
func TestDisconnectRunsOut(t *testing.T) {
	for name, lingers := range map[string]time.Duration{"before the close": time.Millisecond, "during the close": 300 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			forgetWarnings()
			var log syncBuffer
			ctx := newContext(t, WithLogger(log.logger()))
			push := newSocket(t, ctx, PUSH)
			require.NoError(t, push.SetLinger(lingers))
			at := deadPort(t)
			for range 2 {
				require.NoError(t, push.Connect(at))
				_, err := push.Send("job", 0)
				require.NoError(t, err)
				require.NoError(t, push.Disconnect(at)) // twice on this line
			}
			require.NoError(t, push.SetLinger(0))
			bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
			line := log.line(t, disconnectLoses)
			assert.EqualValues(t, 2, line["may_lose"])
			d := ctx.Report().Detached[0]
			assert.Equal(t, RanOut, d.Outcome)
			assert.Equal(t, 2, d.Times)
			assert.Zero(t, d.Open)
			assert.Contains(t, ctx.Report().LogValue().String(), "detached="+d.String()+": 2 at most")
			log.reset()
		})
	}
}

const disconnectLoses = "zmqsafe: the linger of a Disconnect has ended; unsent messages may be lost"

// When Disconnect has stopped waiting for a peer, the context still sees
// whether libzmq sends everything before the linger ends.
func TestDisconnectFromASlowPeer(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:*", "ipc://*"} {
		for _, reads := range []bool{true, false} {
			t.Run(fmt.Sprint(endpoint[:3], reads), func(t *testing.T) {
				forgetWarnings()
				var log syncBuffer
				ctx := newContext(t, WithLogger(log.logger()))
				push, pull, _ := stuck(t, ctx, PUSH, PULL, endpoint, false)
				lingers := limit
				if !reads {
					lingers = 300 * time.Millisecond
				}
				require.NoError(t, push.SetLinger(lingers))
				at, err := pull.GetLastEndpoint()
				require.NoError(t, err)
				_, err = pull.RecvBytes(0) // it is connected
				require.NoError(t, err)
				require.NoError(t, push.Disconnect(at))
				open := func() int {
					ctx.c.mu.Lock()
					defer ctx.c.mu.Unlock()
					return len(ctx.c.detached[0].open)
				}
				if reads {
					require.Equal(t, 1, open())
					for range 1000 - 1 {
						_, err := pull.RecvBytes(0)
						require.NoError(t, err)
					}
				}
				require.Eventually(t, func() bool { return open() == 0 }, limit, time.Millisecond)
				require.NoError(t, push.SetLinger(0))
				bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
				d := ctx.Report().Detached[0]
				if reads {
					assert.Equal(t, Gone, d.Outcome)
					require.Empty(t, log.lines(t))
					return
				}
				assert.Equal(t, RanOut, d.Outcome)
				assert.EqualValues(t, 1000, log.line(t, disconnectLoses)["may_lose"])
				log.reset()
			})
		}
	}
}

// A connection that the peer has closed says nothing of what was sent.
func TestPeerEndsDuringDisconnect(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, after := range []time.Duration{0, 10 * time.Millisecond, 2 * detachWait} {
			t.Run(fmt.Sprint(network, after), func(t *testing.T) {
				forgetWarnings()
				var log syncBuffer
				ctx := newContext(t, WithLinger(linger.MustFor(500*time.Millisecond)), WithLogger(log.logger()))
				soc, peer, at := sendingTo(t, ctx, PUSH, network, false)
				_, err := soc.Send("unsent", 0)
				require.NoError(t, err)
				time.AfterFunc(after, peer.end)
				require.NoError(t, soc.Disconnect(at))
				bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
				assert.EqualValues(t, 2, log.line(t, disconnectLoses)["may_lose"])
				assert.Equal(t, RanOut, ctx.Report().Detached[0].Outcome)
				log.reset()
			})
		}
	}
}

// A line that detaches several endpoints names all that may have lost messages.
func TestDetachedEndpoints(t *testing.T) {
	forgetWarnings()
	var log syncBuffer
	ctx := newContext(t, WithLogger(log.logger()))
	push := newSocket(t, ctx, PUSH)
	require.NoError(t, push.SetLinger(time.Millisecond))
	var endpoints []string
	for range maxEndpoints + 1 {
		endpoints = append(endpoints, deadPort(t))
	}
	for _, at := range append(endpoints, endpoints...) {
		require.NoError(t, push.Connect(at))
		_, err := push.Send("job", 0)
		require.NoError(t, err)
		require.NoError(t, push.Disconnect(at))
	}
	bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
	d := ctx.Report().Detached[0]
	assert.Equal(t, endpoints[:maxEndpoints], d.Endpoints)
	assert.Contains(t, log.line(t, disconnectLoses)["endpoint"], endpoints[0])
	log.reset()
}

// LINGER 0 says that messages may be dropped, and a socket that has sent none
// has none to lose.
func TestDetachWithNothingToLose(t *testing.T) {
	var log syncBuffer
	ctx := newContext(t, WithLogger(log.logger()))
	_, _, detach := stuck(t, ctx, PUSH, PULL, "tcp://127.0.0.1:*", true)
	require.NoError(t, detach())
	idle := newSocket(t, ctx, PUB)
	require.NoError(t, idle.SetLinger(time.Second))
	require.NoError(t, idle.Bind("tcp://127.0.0.1:*"))
	require.NoError(t, idle.Unbind("tcp://127.0.0.1:*"))
	require.NoError(t, ctx.Close())
	require.Empty(t, log.lines(t))
	for _, d := range ctx.Report().Detached {
		assert.Equal(t, Gone, d.Outcome)
	}
}
