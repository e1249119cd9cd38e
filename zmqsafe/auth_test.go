package zmqsafe

import (
	"log/slog"
	"maps"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newAuth gives the test its own default context and rules. At its end the
// context is closed first, whether authentication is running or not.
func newAuth(t testing.TB) {
	t.Helper()
	old := auth
	auth = newAuthenticator()
	t.Cleanup(func() {
		bounded(t, "AuthStop", AuthStop)
		auth = old
	})
	newDefault(t)
}

func startAuth(t testing.TB) {
	t.Helper()
	newAuth(t)
	require.NoError(t, AuthStart())
}

func newDefaultSocket(t testing.TB, typ Type) *Socket {
	t.Helper()
	soc, err := NewSocket(typ)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, soc.Close()) })
	return soc
}

type keyPair struct{ public, secret string }

func newKeyPair(t testing.TB) keyPair {
	t.Helper()
	needsCurve(t)
	public, secret, err := zmq4.NewCurveKeypair()
	require.NoError(t, err)
	return keyPair{public, secret}
}

// ask sends a request to the running authentication as libzmq would, and
// returns status, text, user id and metadata.
func ask(t testing.TB, request ...string) []string {
	t.Helper()
	soc := newDefaultSocket(t, REQ)
	require.NoError(t, soc.Connect(zapEndpoint))
	require.NoError(t, soc.SetRcvtimeo(limit))
	_, err := soc.SendMessage(request)
	require.NoError(t, err)
	reply, err := soc.RecvMessage(0)
	require.NoError(t, err)
	require.Len(t, reply, 6)
	assert.Equal(t, "1.0", reply[0])
	if len(request) > 1 {
		assert.Equal(t, request[1], reply[1], "request id")
	}
	return reply[2:]
}

var zapNull = []string{"1.0", "1", "d", "1.2.3.4", "", "NULL"}

// handshake connects a client to a server and returns what the server saw of
// it.
func handshake(t testing.TB, server, client func(soc *Socket) error) (event Event, s, c *Socket) {
	t.Helper()
	const failed = EVENT_HANDSHAKE_FAILED_AUTH | EVENT_HANDSHAKE_FAILED_NO_DETAIL | EVENT_HANDSHAKE_FAILED_PROTOCOL
	s, c, reader := newDefaultSocket(t, DEALER), newDefaultSocket(t, DEALER), newDefaultSocket(t, PAIR)
	require.NoError(t, server(s))
	require.NoError(t, client(c))
	require.NoError(t, s.Monitor(inproc(t), EVENT_HANDSHAKE_SUCCEEDED|failed))
	require.NoError(t, reader.Connect(inproc(t)))
	require.NoError(t, s.Bind("tcp://127.0.0.1:*"))
	endpoint, err := s.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, c.Connect(endpoint))
	require.NoError(t, reader.SetRcvtimeo(limit))
	event, _, _, err = reader.RecvEvent(0)
	require.NoError(t, err)
	return event, s, c
}

func TestAuthHandshake(t *testing.T) {
	serverKey, alice, bob := newKeyPair(t), newKeyPair(t), newKeyPair(t)
	null := func(domain string) func(*Socket) error {
		return func(soc *Socket) error { return soc.ServerAuthNull(domain) }
	}
	plain := func(soc *Socket) error { return soc.ServerAuthPlain("d") }
	curve := func(soc *Socket) error { return soc.ServerAuthCurve("d", serverKey.secret) }
	anybody := func(*Socket) error { return nil }
	user := func(name, password string) func(*Socket) error {
		return func(soc *Socket) error { return soc.ClientAuthPlain(name, password) }
	}
	key := func(k keyPair) func(*Socket) error {
		return func(soc *Socket) error { return soc.ClientAuthCurve(serverKey.public, k.public, k.secret) }
	}
	const in, out = EVENT_HANDSHAKE_SUCCEEDED, EVENT_HANDSHAKE_FAILED_AUTH
	for name, c := range map[string]struct {
		rules          func()
		server, client func(*Socket) error
		want           Event
	}{
		"null":            {func() {}, null("d"), anybody, in},
		"null allowed":    {func() { AuthAllow("d", "127.0.0.0/8") }, null("d"), anybody, in},
		"null denied":     {func() { AuthDeny("*", "127.0.0.1") }, null("d"), anybody, out},
		"null, no domain": {func() { AuthDeny("*", "127.0.0.1") }, anybody, anybody, in},
		"plain":           {func() { AuthPlainAdd("d", "u", "p") }, plain, user("u", "p"), in},
		"plain refused":   {func() { AuthPlainAdd("d", "u", "p") }, plain, user("u", "q"), out},
		"curve":           {func() { AuthCurveAdd("d", alice.public) }, curve, key(alice), in},
		"curve refused":   {func() { AuthCurveAdd("d", alice.public) }, curve, key(bob), out},
		"curve any":       {func() { AuthCurveAdd("*", zmq4.CURVE_ALLOW_ANY) }, curve, key(bob), in},
		"stopped, null":   {func() { AuthDeny("*", "127.0.0.1"); AuthStop() }, null("d"), anybody, in},
		"stopped, curve":  {func() { AuthDeny("*", "127.0.0.1"); AuthStop() }, curve, key(bob), in},
		"stopped, plain":  {AuthStop, plain, user("u", "p"), EVENT_HANDSHAKE_FAILED_NO_DETAIL},
	} {
		t.Run(name, func(t *testing.T) {
			startAuth(t)
			c.rules()
			event, s, client := handshake(t, c.server, c.client)
			require.Equal(t, c.want, event)
			if event == in {
				_, err := client.Send("hello", 0)
				require.NoError(t, err)
				got, err := s.Recv(0)
				require.NoError(t, err)
				assert.Equal(t, "hello", got)
			}
		})
	}
}

func TestAuthMetadata(t *testing.T) {
	startAuth(t)
	AuthPlainAdd("d", "u", "p")
	var got []string
	properties := map[string]string{"User-Id": "anonymous", "Hello": "World!", "Empty": "", strings.Repeat("k", 256): "left out"}
	kept := maps.Clone(properties)
	AuthSetMetadataHandler(func(version, requestID, domain, address, identity, mechanism string, credentials ...string) map[string]string {
		got = append([]string{version, requestID, domain, address, identity, mechanism}, credentials...)
		AuthPlainAdd(domain, "guest", "guest") // may call these
		return properties
	})
	event, s, c := handshake(t,
		func(soc *Socket) error { _ = soc.SetIdentity("server"); return soc.ServerAuthPlain("d") },
		func(soc *Socket) error { return soc.ClientAuthPlain("u", "p") })
	require.Equal(t, EVENT_HANDSHAKE_SUCCEEDED, event)
	_, err := c.SendMessage("a", "b")
	require.NoError(t, err)
	message, metadata, err := s.RecvMessageWithMetadata(0, "User-Id", "Hello", "Empty", "Socket-Type", "Fuz")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, message)
	assert.Equal(t, map[string]string{"User-Id": "anonymous", "Hello": "World!", "Empty": "", "Socket-Type": "DEALER"}, metadata)
	assert.Equal(t, []string{"1.0", "1", "d", "127.0.0.1", "server", "PLAIN", "u", "p"}, got)
	assert.Equal(t, kept, properties, "the handler's map")

	AuthSetMetadataHandler(nil)
	assert.Equal(t, []string{"200", "OK", "", ""}, ask(t, "1.0", "1", "d", "1.2.3.4", "", "PLAIN", "guest", "guest"))
}

func TestAuthLog(t *testing.T) {
	alice := newKeyPair(t)
	var log syncBuffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch {
		case a.Key == slog.TimeKey:
			return slog.Attr{}
		case a.Value.String() == alice.public:
			return slog.String(a.Key, "alice")
		}
		return a
	}})))
	defer slog.SetDefault(old)

	newAuth(t)
	requests := func() {
		AuthStop()
		require.NoError(t, AuthStart())
		require.Error(t, AuthStart())
		AuthPlainAdd("d", "somebody", "secret-1")
		for _, password := range []string{"secret-1", "secret-2"} {
			ask(t, "1.0", "1", "d", "1.2.3.4", "", "PLAIN", "somebody", password)
		}
		ask(t, "1.0", "1", "d", "1.2.3.4", "", "CURVE", zmq4.Z85decode(alice.public))
		ask(t, "1.0", "1", "d", "1.2.3.4", "", "PLAIN", "secret-3")
		AuthStop()
	}
	requests()
	require.Empty(t, log.String(), "not verbose")
	AuthSetVerbose(true)
	requests()
	AuthSetVerbose(false)
	logs(t, &log, `
level=INFO msg="zmqsafe: authentication: not running, nothing to stop"
level=INFO msg="zmqsafe: authentication: started"
level=INFO msg="zmqsafe: authentication: not started" err="Auth is already running"
level=INFO msg="zmqsafe: authentication: peer admitted" mechanism=PLAIN domain=d address=1.2.3.4 username=somebody
level=INFO msg="zmqsafe: authentication: peer refused" mechanism=PLAIN domain=d address=1.2.3.4 username=somebody reason="unknown credentials"
level=INFO msg="zmqsafe: authentication: peer refused" mechanism=CURVE domain=d address=1.2.3.4 client_key=alice reason="unknown credentials"
level=INFO msg="zmqsafe: authentication: malformed request" err="PLAIN with 1 credentials, want 2"
level=INFO msg="zmqsafe: authentication: stopped"
`)

	// Mistakes are logged even if it is not verbose.
	log.reset()
	AuthDeny("d", "1.2.3.400")
	AuthAllow("d", "1.2.3.4", "localhost")
	require.NoError(t, AuthStart())
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		return map[string]string{strings.Repeat("k", 256): "too long"}
	})
	ask(t, zapNull...)
	logs(t, &log, `
level=WARN msg="zmqsafe: authentication: neither an IP address nor a network in CIDR notation; no peer matches it" function=AuthDeny address=1.2.3.400
level=WARN msg="zmqsafe: authentication: neither an IP address nor a network in CIDR notation; no peer matches it" function=AuthAllow address=localhost
level=WARN msg="zmqsafe: authentication: property of the metadata handler left out" err="Key too long: 256 bytes, want 255 at most"
`)
}

// logs waits until there is as much in the log as there should be.
func logs(t *testing.T, log *syncBuffer, want string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(log.String()) >= len(want)-1 }, limit, time.Millisecond, "%s", log)
	assert.Equal(t, want, "\n"+log.String())
}

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
	// It does not take the endpoint away from another socket.
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

func TestAuthMetadataHandlerEndsItsGoroutine(t *testing.T) {
	startAuth(t)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		runtime.Goexit()
		return nil
	})
	assert.Equal(t, "300", ask(t, zapNull...)[0])
}

// blockingHandler sets a metadata handler that reports each call, and blocks
// until goOn is called or the test ends.
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

// Without a handler, requests sent before AuthStop get a real answer.
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

// Each of these ends the process in pebbe/zmq4.
func TestAuthMalformedRequests(t *testing.T) {
	startAuth(t)
	AuthPlainAdd("*", "u", "p")
	AuthCurveAdd("*", zmq4.CURVE_ALLOW_ANY)
	for _, request := range [][]string{
		{""},
		{"QUIT"},
		{"1.0"},
		{"2.0", "1", "d", "1.2.3.4", "", "NULL"},
		{"1.0", "1", "d", "1.2.3.4", ""},
		{"1.0", "1", "d", "1.2.3.4", "", "NULL", "extra"},
		{"1.0", "1", "d", "1.2.3.4", "", "PLAIN"},
		{"1.0", "1", "d", "1.2.3.4", "", "PLAIN", "u"},
		{"1.0", "1", "d", "1.2.3.4", "", "CURVE"},
	} {
		assert.Equal(t, []string{"500", "MALFORMED REQUEST", "", ""}, ask(t, request...), "%q", request)
	}
	for _, key := range []string{"", strings.Repeat("k", 31), strings.Repeat("k", 33)} {
		assert.Equal(t, "400", ask(t, "1.0", "1", "d", "1.2.3.4", "", "CURVE", key)[0])
	}
	// It still answers the next request.
	assert.Equal(t, "200", ask(t, "1.0", "1", "d", "1.2.3.4", "", "PLAIN", "u", "p")[0])
}

// libzmq aborts when it must authenticate a peer and the socket at the endpoint
// is neither a REP nor a ROUTER.
func TestAuthEndpointTakesNoOtherSocket(t *testing.T) {
	ctx := newContext(t)
	for _, typ := range []Type{REQ, DEALER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR} {
		assert.ErrorIs(t, newSocket(t, ctx, typ).Bind(zapEndpoint), ENOCOMPATPROTO, "%v", typ)
	}
	assert.ErrorIs(t, newSocket(t, ctx, PULL).Monitor(zapEndpoint, EVENT_ALL), ENOCOMPATPROTO)
	require.NoError(t, newSocket(t, ctx, REP).Bind(zapEndpoint))
}
