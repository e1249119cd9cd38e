package zmqsafe

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// What other goroutines send between zmq_unbind and the moment that the socket
// knows of it may be lost, also if the socket is closed meanwhile.
func TestSentDuringUnbind(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *Context, *Socket, *detaching){
		"until the end": func(_ *testing.T, _ *Context, push *Socket, d *detaching) { d.afterUnbind(push) },
		"until Close": func(t *testing.T, _ *Context, push *Socket, d *detaching) {
			require.NoError(t, push.Close())
			d.afterUnbind(push)
		},
		"until the end of the context": func(t *testing.T, ctx *Context, push *Socket, d *detaching) {
			require.NoError(t, ctx.Close())
			d.afterUnbind(push)
		},
	} {
		for _, all := range []bool{true, false} { // is sent before
			t.Run(fmt.Sprint(name, all), func(t *testing.T) {
				forgetWarnings()
				var log syncBuffer
				ctx := newContext(t, WithLinger(linger.MustFor(limit)), WithLogger(log.logger()))
				push, pull := newPair(t, ctx, PUSH, PULL, "tcp://127.0.0.1:*")
				at, err := push.GetLastEndpoint()
				require.NoError(t, err)
				before, during := uint64(0), uint64(0)
				var d *detaching
				for deadline := time.Now().Add(limit); during == 0; { // libzmq may be faster
					require.True(t, time.Now().Before(deadline))
					_, err = push.Send("before", 0)
					require.NoError(t, err)
					_, err = pull.Recv(0)
					require.NoError(t, err)
					before++
					d = &detaching{name: "Unbind", given: at, at: caller(0)}
					require.NoError(t, push.call(d.find))
					d.look = d.e.look(&push.s.c.threads)
					d.sent = all
					require.NoError(t, push.call(d.detach))
					for ; err == nil && during < 100; during++ {
						if _, err = push.Send("during", DONTWAIT); err != nil {
							break
						}
					}
					if during == 0 {
						d.afterUnbind(push)
						require.NoError(t, push.Bind(at))
						forgetWarnings()
						log.reset()
					}
				}
				want := during
				if !all {
					want += before
				}
				end(t, ctx, push, d)
				line := log.line(t, "zmqsafe: Unbind drops what isn't sent yet; unsent messages may be lost")
				require.NoError(t, ctx.Close())
				r := ctx.Report().Detached[0]
				assert.Equal(t, RanOut, r.Outcome)
				assert.Equal(t, want, r.MayLose)
				assert.Equal(t, before+during, r.Accepted)
				assert.EqualValues(t, want, line["may_lose"])
				log.reset()
			})
		}
	}
}

// Unbind looks and waits only if a later message may go to what it closes.
func TestUnbindOfWhatMayBeChosen(t *testing.T) {
	for _, tt := range []struct {
		typ, peer           Type
		withPeer, afterSend bool
	}{
		{PUSH, PULL, true, true},
		{DEALER, DEALER, true, true},
		{PUB, SUB, false, true},
		{XPUB, SUB, false, true},
		{PULL, PUSH, false, false},
	} {
		t.Run(tt.typ.String(), func(t *testing.T) {
			ctx := newContext(t)
			soc, peer := newSocket(t, ctx, tt.typ), newSocket(t, ctx, tt.peer)
			require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
			may := func() (may bool) {
				require.NoError(t, soc.call(func(s *socketState) error {
					may = s.mayChoose(s.endpoints[0])
					return nil
				}))
				return may
			}
			assert.False(t, may(), "it has no peers")
			at, err := soc.GetLastEndpoint()
			require.NoError(t, err)
			require.NoError(t, peer.Connect(at))
			if tt.withPeer {
				require.Eventually(t, may, limit, time.Millisecond)
			}
			if tt.typ != PULL {
				_, err = soc.Send("x", 0)
				require.NoError(t, err)
			}
			assert.Equal(t, tt.afterSend, may())
		})
	}
}
