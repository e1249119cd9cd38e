package zmqsafe

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var zapNull = []string{"1.0", "1", "d", "1.2.3.4", "", "NULL"}

func TestAuthStartStop(t *testing.T) {
	newAuth(t)
	AuthStop()
	for range 3 {
		require.NoError(t, AuthStart())
		assert.EqualError(t, AuthStart(), "Auth is already running")
		assert.Equal(t, "200", ask(t, zapNull...)[0])
		AuthStop()
		AuthStop()
	}
	// What somebody else has bound is his.
	handler := newDefaultSocket(t, ROUTER)
	require.NoError(t, handler.Bind(zapEndpoint))
	assert.Equal(t, error(EADDRINUSE), AuthStart())
	require.NoError(t, handler.Close())
	require.NoError(t, AuthStart())
	assert.ErrorIs(t, newDefaultSocket(t, REP).Bind(zapEndpoint), EADDRINUSE)
}

func TestAuthRulesOutliveStop(t *testing.T) {
	newAuth(t)
	AuthDeny("d", "1.2.3.4")
	for range 2 {
		require.NoError(t, AuthStart())
		assert.Equal(t, "400", ask(t, zapNull...)[0])
		AuthStop()
	}
}

func TestAuthKeepsItsSocketToItself(t *testing.T) {
	startAuth(t)
	assert.Empty(t, defaultContext.ctx.Sockets())
}

func TestAuthTerm(t *testing.T) {
	startAuth(t)
	bounded(t, "Term", func() { require.NoError(t, Term()) })
	assert.Equal(t, ErrorContextClosed, AuthStart())
	bounded(t, "AuthStop", AuthStop)
	assert.Equal(t, ErrorContextClosed, AuthStart())
}

func TestAuthStartNeedsASocket(t *testing.T) {
	newAuth(t)
	ctx := newDefaultSocket(t, PULL).ctx
	require.NoError(t, ctx.Close())
	assert.Equal(t, ErrorContextClosed, AuthStart())
}

// libzmq aborts when a peer has to be authenticated and something else than a
// REP or ROUTER is there.
func TestAuthEndpointTakesNoOtherSocket(t *testing.T) {
	ctx := newContext(t)
	for _, typ := range []Type{REQ, DEALER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR} {
		assert.ErrorIs(t, newSocket(t, ctx, typ).Bind(zapEndpoint), ENOCOMPATPROTO, "%v", typ)
	}
	assert.ErrorIs(t, newSocket(t, ctx, PULL).Monitor(zapEndpoint, EVENT_ALL), ENOCOMPATPROTO)
	require.NoError(t, newSocket(t, ctx, REP).Bind(zapEndpoint))
}

// blockingHandler sets a metadata handler that says when it is called, and goes
// on when it is told to or the test ends.
func blockingHandler(t testing.TB) (called <-chan struct{}, goOn func()) {
	in, out := make(chan struct{}, 100), make(chan struct{})
	goOn = sync.OnceFunc(func() { close(out) })
	t.Cleanup(goOn)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		in <- struct{}{}
		<-out
		return map[string]string{"User-Id": "late"}
	})
	return in, goOn
}

func TestAuthStopDoesNotWaitForTheHandler(t *testing.T) {
	startAuth(t)
	called, goOn := blockingHandler(t)
	soc := newDefaultSocket(t, REQ)
	require.NoError(t, soc.Connect(zapEndpoint))
	_, err := soc.SendMessage(zapNull)
	require.NoError(t, err)
	waitFor(t, "handler", called)
	waiting := newDefaultSocket(t, REQ)
	require.NoError(t, waiting.Connect(zapEndpoint))
	_, err = waiting.SendMessage(zapNull)
	require.NoError(t, err)
	bounded(t, "AuthStop", AuthStop)
	for _, soc := range []*Socket{soc, waiting} {
		require.NoError(t, soc.SetRcvtimeo(limit))
		reply, err := soc.RecvMessage(0)
		require.NoError(t, err)
		assert.Equal(t, "300", reply[2])
	}
	require.NoError(t, AuthStart())
	AuthSetMetadataHandler(nil)
	goOn()
	assert.Equal(t, []string{"200", "OK", "", ""}, ask(t, zapNull...))
}

// Without a handler, who asked before AuthStop gets a real answer.
func TestAuthStopAnswers(t *testing.T) {
	newAuth(t)
	for range 20 {
		require.NoError(t, AuthStart())
		var asking []*Socket
		for range 5 {
			soc := newDefaultSocket(t, REQ)
			require.NoError(t, soc.Connect(zapEndpoint))
			_, err := soc.SendMessage(zapNull)
			require.NoError(t, err)
			asking = append(asking, soc)
		}
		AuthStop()
		for _, soc := range asking {
			require.NoError(t, soc.SetRcvtimeo(limit))
			reply, err := soc.RecvMessage(0)
			require.NoError(t, err)
			assert.Equal(t, "200", reply[2])
			require.NoError(t, soc.Close())
		}
	}
}

func TestAuthTermDoesNotWaitForTheHandler(t *testing.T) {
	startAuth(t)
	called, _ := blockingHandler(t)
	soc := newDefaultSocket(t, REQ)
	require.NoError(t, soc.Connect(zapEndpoint))
	_, err := soc.SendMessage(zapNull)
	require.NoError(t, err)
	waitFor(t, "handler", called)
	bounded(t, "Term", func() { require.NoError(t, Term()) })
	bounded(t, "AuthStop", AuthStop)
}

func TestAuthStopFromTheHandler(t *testing.T) {
	startAuth(t)
	done := make(chan error, 1)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		AuthStop()
		AuthSetMetadataHandler(nil)
		done <- AuthStart()
		return nil
	})
	assert.Equal(t, "300", ask(t, zapNull...)[0])
	require.NoError(t, waitFor(t, "handler", done))
	assert.Equal(t, "200", ask(t, zapNull...)[0])
}

func TestTermFromTheAuthHandler(t *testing.T) {
	startAuth(t)
	done := make(chan error, 1)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		done <- Term()
		return nil
	})
	soc := newDefaultSocket(t, REQ)
	require.NoError(t, soc.Connect(zapEndpoint))
	_, err := soc.SendMessage(zapNull)
	require.NoError(t, err)
	require.NoError(t, waitFor(t, "Term", done))
}

// Everything at once, until Term, which nothing may keep from coming back.
func TestAuthRaces(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			newAuth(t)
			mine := auth // a handler may outlive the test
			stop := make(chan struct{})
			var wg sync.WaitGroup
			loop := func(f func()) {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							f()
						}
					}
				})
			}
			allowed := []error{nil, errAuthRunning, ErrorContextClosed}
			for range 2 {
				loop(func() { assert.Contains(t, allowed, AuthStart()) })
				loop(AuthStop)
			}
			loop(func() { AuthAllow("d", "10.0.0.0/8"); AuthDeny("e", "1.2.3.4") })
			loop(func() { AuthPlainAdd("d", "u", "p"); AuthPlainRemove("d", "u"); AuthPlainRemoveAll("d") })
			loop(func() { AuthCurveAdd("d", "key"); AuthCurveRemove("d", "key"); AuthCurveRemoveAll("d") })
			loop(func() {
				AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
					mine.stop()
					return map[string]string{"User-Id": "u"}
				})
				AuthSetMetadataHandler(nil)
			})
			loop(func() {
				soc, err := NewSocket(REQ)
				if err != nil {
					return
				}
				defer soc.Close()
				_ = soc.SetRcvtimeo(time.Millisecond)
				if soc.Connect(zapEndpoint) == nil {
					_, _ = soc.SendMessage(zapNull)
					_, _ = soc.RecvMessage(0)
				}
			})
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) // a random moment is what is wanted
			bounded(t, "Term", func() { assert.NoError(t, Term()) })
			close(stop)
			bounded(t, "goroutines after Term", wg.Wait)
			bounded(t, "AuthStop", AuthStop)
			assert.Equal(t, ErrorContextClosed, AuthStart())
		})
	}
}

// Clients come all the time, some of them leave in the middle of the handshake,
// and authentication ends at a random moment: by AuthStop, by Term, or both at
// once. libzmq must not mind requests that nobody answers.
func TestAuthEndsWhileClientsConnect(t *testing.T) {
	rounds := 15
	if testing.Short() {
		rounds = 4
	}
	serverKey, clientKey := newKeyPair(t), newKeyPair(t)
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			startAuth(t)
			AuthCurveAdd("d", clientKey.public)
			if round%2 == 0 {
				AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
					time.Sleep(time.Millisecond)
					return nil
				})
			}
			server := newDefaultSocket(t, PULL)
			require.NoError(t, server.ServerAuthCurve("d", serverKey.secret))
			require.NoError(t, server.Bind("tcp://127.0.0.1:*"))
			endpoint, err := server.GetLastEndpoint()
			require.NoError(t, err)

			stop := make(chan struct{})
			var wg sync.WaitGroup
			stopped := func() bool { return isClosed(stop) }
			for range 3 {
				wg.Go(func() {
					for !stopped() {
						connectBriefly(t, endpoint, serverKey, clientKey)
					}
				})
			}
			wg.Go(func() {
				for !stopped() {
					greetAndLeave(endpoint, "CURVE")
				}
			})
			for range 1 + rand.IntN(3) {
				time.Sleep(time.Duration(rand.IntN(15)) * time.Millisecond) // a random moment is what is wanted
				if round%3 != 0 {
					AuthStop()
					require.NoError(t, AuthStart())
				}
			}
			var end sync.WaitGroup
			end.Go(func() { assert.NoError(t, Term()) })
			if round%3 == 1 {
				end.Go(AuthStop)
			}
			bounded(t, "Term", end.Wait)
			close(stop)
			bounded(t, "clients", wg.Wait)
		})
	}
}

// connectBriefly sends one message, from the default context while there is one.
func connectBriefly(t testing.TB, endpoint string, server, client keyPair) {
	soc, err := NewSocket(PUSH)
	if err != nil {
		return
	}
	defer soc.Close()
	if !assert.NoError(t, errorUnlessClosed(soc.ClientAuthCurve(server.public, client.public, client.secret))) {
		return
	}
	_ = soc.SetLinger(0)
	_ = soc.SetSndtimeo(time.Duration(rand.IntN(10)) * time.Millisecond)
	_ = soc.SetImmediate(true)
	if soc.Connect(endpoint) == nil {
		_, _ = soc.Send("x", 0)
	}
}

func errorUnlessClosed(err error) error {
	if errors.Is(err, ErrorContextClosed) || errors.Is(err, ErrorSocketClosed) || AsErrno(err) == ETERM {
		return nil
	}
	return err
}

// greetAndLeave begins a handshake and hangs up. With NULL the greeting is enough
// for the server to ask for a decision.
func greetAndLeave(endpoint, mechanism string) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	if err != nil {
		return
	}
	defer conn.Close()
	greeting := make([]byte, 64)
	copy(greeting, "\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00"+mechanism)
	_, _ = conn.Write(greeting)
	_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, _ = conn.Read(make([]byte, 128))
}

// A program may have connected to the endpoint, and nobody bound it, when the
// context is closed: what the package then binds there must not upset libzmq.
func TestAuthPendingConnectAtClose(t *testing.T) {
	for range 10 {
		ctx := newContext(t)
		require.NoError(t, newSocket(t, ctx, REQ).Connect(zapEndpoint))
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 10 {
			server := newSocket(t, ctx, PULL)
			require.NoError(t, server.ServerAuthNull("d"))
			require.NoError(t, server.Bind("tcp://127.0.0.1:*"))
			endpoint, err := server.GetLastEndpoint()
			require.NoError(t, err)
			wg.Go(func() {
				for !isClosed(stop) {
					greetAndLeave(endpoint, "NULL")
				}
			})
		}
		time.Sleep(10 * time.Millisecond)
		bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
		close(stop)
		wg.Wait()
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
