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

// Everything runs at once until Term, which must return.
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
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond) // a random moment
			bounded(t, "Term", func() { assert.NoError(t, Term()) })
			close(stop)
			bounded(t, "goroutines after Term", wg.Wait)
			bounded(t, "AuthStop", AuthStop)
			assert.Equal(t, ErrorContextClosed, AuthStart())
		})
	}
}

// Clients connect all the time, some leave in the middle of the handshake, and
// authentication ends at a random moment: by AuthStop, by Term, or both at
// once. libzmq must survive requests that nobody answers.
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
				time.Sleep(time.Duration(rand.IntN(15)) * time.Millisecond) // a random moment
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

// connectBriefly sends one message from the default context, unless it is
// closed.
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

// greetAndLeave begins a handshake and hangs up. With NULL the greeting is
// enough for the server to ask for a decision.
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

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// When the context is closed, the program may have a socket connected to the
// endpoint that nobody has bound. The socket that zmqsafe then binds there must
// not make libzmq abort.
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
