package zmqsafe

import (
	"bytes"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newAuth gives the test a default context and rules of its own. The context is
// closed first at the end, with authentication running or not.
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
	public, secret, err := zmq4.NewCurveKeypair()
	require.NoError(t, err)
	return keyPair{public, secret}
}

// ask puts a request to the running authentication as libzmq would, and returns
// status, text, user id and metadata.
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

// handshake connects a client to a server and returns what the server saw of it.
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

func TestAuthVerbose(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)

	newAuth(t)
	alice := newKeyPair(t)
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
	text := log.String()
	for _, want := range []string{
		"AUTH: Not running", "AUTH: Started", "Auth is already running", "AUTH: Stopped", "AUTH: ALLOWED (PLAIN)", "AUTH: DENIED (PLAIN)",
		"username=somebody", "AUTH: DENIED (CURVE)", alice.public, "AUTH: DENIED (malformed request)", "domain=d", "address=1.2.3.4",
	} {
		assert.Contains(t, strings.ReplaceAll(text, `\"`, `"`), want)
	}
	assert.NotContains(t, text, "secret")

	log.Reset()
	AuthDeny("d", "1.2.3.400")
	assert.Contains(t, log.String(), "1.2.3.400", "not only when verbose")
}
