package zmqsafe

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"maps"
	"runtime"
	"strings"
	"syscall"
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

type keyPair struct{ public, secret string }

func newKeyPair(t testing.TB) keyPair {
	t.Helper()
	public, secret, err := zmq4.NewCurveKeypair()
	require.NoError(t, err)
	return keyPair{public, secret}
}

func TestAuthRules(t *testing.T) {
	alice, bob := newKeyPair(t), newKeyPair(t)
	null := []string{"NULL"}
	plain := func(user, password string) []string { return []string{"PLAIN", user, password} }
	curve := func(k keyPair) []string { return []string{"CURVE", zmq4.Z85decode(k.public)} }
	allow := func(args ...string) func() { return func() { AuthAllow(args[0], args[1:]...) } }
	deny := func(args ...string) func() { return func() { AuthDeny(args[0], args[1:]...) } }
	both := func(rules ...func()) func() {
		return func() {
			for _, rule := range rules {
				rule()
			}
		}
	}
	const yes, no = "200", "400"
	for name, c := range map[string]struct {
		rules           func()
		domain, address string
		mechanism       []string
		want            string
	}{
		"null without rules":    {both(), "d", "1.2.3.4", null, yes},
		"plain without rules":   {both(), "d", "1.2.3.4", plain("u", "p"), no},
		"curve without rules":   {both(), "d", "1.2.3.4", curve(alice), no},
		"other without rules":   {both(), "d", "1.2.3.4", []string{"GSSAPI", "who"}, no},
		"other on whitelist":    {allow("d", "1.2.3.4"), "d", "1.2.3.4", []string{"GSSAPI", "who"}, yes},
		"other not denied":      {deny("d", "1.2.3.4"), "d", "1.2.3.5", []string{"GSSAPI", "who"}, yes},
		"other denied":          {deny("d", "1.2.3.4"), "d", "1.2.3.4", []string{"GSSAPI", "who"}, no},
		"allowed":               {allow("d", "1.2.3.4"), "d", "1.2.3.4", null, yes},
		"not allowed":           {allow("d", "1.2.3.4"), "d", "1.2.3.5", null, no},
		"allowed elsewhere":     {allow("d", "1.2.3.4"), "e", "1.2.3.5", null, yes},
		"allowed for all":       {allow("*", "1.2.3.4"), "e", "1.2.3.4", null, yes},
		"not allowed for all":   {allow("*", "1.2.3.4"), "e", "1.2.3.5", null, no},
		"second allowed":        {both(allow("d", "1.2.3.4"), allow("d", "1.2.3.5")), "d", "1.2.3.5", null, yes},
		"allowed network":       {allow("d", "10.1.0.0/16"), "d", "10.1.2.3", null, yes},
		"not allowed network":   {allow("d", "10.1.0.0/16"), "d", "10.2.2.3", null, no},
		"address for a domain":  {allow("1.2.3.4", "1.2.3.5"), "d", "1.2.3.4", null, yes},
		"address for domain, 2": {allow("1.2.3.4", "1.2.3.5"), "d", "1.2.3.5", null, yes},
		"address for domain, 3": {allow("1.2.3.4", "1.2.3.5"), "d", "1.2.3.6", null, no},
		"network for a domain":  {deny("10.1.0.0/16"), "d", "10.1.2.3", null, no},
		"no addresses":          {allow("d"), "d", "1.2.3.4", null, yes},
		"only a mistake":        {allow("d", "localhost"), "d", "127.0.0.1", null, no},
		"denied":                {deny("d", "1.2.3.4"), "d", "1.2.3.4", null, no},
		"not denied":            {deny("d", "1.2.3.4"), "d", "1.2.3.5", null, yes},
		"denied mistake":        {deny("d", "1.2.3.400"), "d", "1.2.3.4", null, yes},
		"denied for all":        {deny("*", "10.0.0.0/8"), "d", "10.1.2.3", null, no},
		"allowed and denied":    {both(allow("d", "1.2.3.4"), deny("d", "1.2.3.4")), "d", "1.2.3.4", null, yes},
		"v6":                    {allow("d", "2001:db8::/32"), "d", "2001:db8::1", null, yes},
		"v6 spelled otherwise":  {deny("d", "2001:0db8:0:0::1"), "d", "2001:db8::1", null, no},
		"v4 seen by v6":         {deny("d", "1.2.3.4"), "d", "::ffff:1.2.3.4", null, no},
		"v4 written as v6":      {allow("d", "::ffff:1.2.3.4"), "d", "1.2.3.4", null, yes},
		"v6 with zone":          {deny("d", "fe80::/10"), "d", "fe80::1%eth0", null, no},
		"not tcp, allowed":      {allow("d", "1.2.3.4"), "d", ":1000:1000:77", null, no},
		"not tcp, denied":       {deny("d", "1.2.3.4"), "d", "", null, yes},

		"user":                    {func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain("u", "p"), yes},
		"wrong password":          {func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain("u", "q"), no},
		"unknown user":            {func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain("v", "p"), no},
		"unknown, empty password": {func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain("v", ""), no},
		"user of another domain":  {func() { AuthPlainAdd("d", "u", "p") }, "e", "1.2.3.4", plain("u", "p"), no},
		"user of all domains":     {func() { AuthPlainAdd("*", "u", "p") }, "e", "1.2.3.4", plain("u", "p"), yes},
		"new password":            {func() { AuthPlainAdd("d", "u", "p"); AuthPlainAdd("d", "u", "q") }, "d", "1.2.3.4", plain("u", "p"), no},
		"user removed":            {func() { AuthPlainAdd("d", "u", "p"); AuthPlainRemove("d", "x", "u") }, "d", "1.2.3.4", plain("u", "p"), no},
		"removed elsewhere":       {func() { AuthPlainAdd("d", "u", "p"); AuthPlainRemove("e", "u") }, "d", "1.2.3.4", plain("u", "p"), yes},
		"users removed":           {func() { AuthPlainAdd("d", "u", "p"); AuthPlainRemoveAll("d") }, "d", "1.2.3.4", plain("u", "p"), no},
		"user denied":             {both(deny("d", "1.2.3.4"), func() { AuthPlainAdd("d", "u", "p") }), "d", "1.2.3.4", plain("u", "p"), no},
		"allowed, no user":        {allow("d", "1.2.3.4"), "d", "1.2.3.4", plain("u", "p"), no},

		"key":                   {func() { AuthCurveAdd("d", alice.public) }, "d", "1.2.3.4", curve(alice), yes},
		"other key":             {func() { AuthCurveAdd("d", alice.public) }, "d", "1.2.3.4", curve(bob), no},
		"key of another domain": {func() { AuthCurveAdd("d", alice.public) }, "e", "1.2.3.4", curve(alice), no},
		"key for all domains":   {func() { AuthCurveAdd("*", bob.public, alice.public) }, "e", "1.2.3.4", curve(alice), yes},
		"any key":               {func() { AuthCurveAdd("d", zmq4.CURVE_ALLOW_ANY) }, "d", "1.2.3.4", curve(bob), yes},
		"no key":                {func() { AuthCurveAdd("d", zmq4.CURVE_ALLOW_ANY, "") }, "d", "1.2.3.4", []string{"CURVE", "short"}, no},
		"key removed":           {func() { AuthCurveAdd("d", alice.public); AuthCurveRemove("d", alice.public) }, "d", "1.2.3.4", curve(alice), no},
		"keys removed":          {func() { AuthCurveAdd("d", zmq4.CURVE_ALLOW_ANY); AuthCurveRemoveAll("d") }, "d", "1.2.3.4", curve(alice), no},
		"key not allowed":       {both(allow("d", "1.2.3.5"), func() { AuthCurveAdd("d", alice.public) }), "d", "1.2.3.4", curve(alice), no},
	} {
		t.Run(name, func(t *testing.T) {
			startAuth(t)
			c.rules()
			reply := ask(t, append([]string{"1.0", "77", c.domain, c.address, "identity", c.mechanism[0]}, c.mechanism[1:]...)...)
			assert.Equal(t, c.want, reply[0])
		})
	}
}

// Raw ends the process for each of these.
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
	// It is there for the next one.
	assert.Equal(t, "200", ask(t, "1.0", "1", "d", "1.2.3.4", "", "PLAIN", "u", "p")[0])
}

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

func TestAuthMetadataHandlerEndsItsGoroutine(t *testing.T) {
	startAuth(t)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		runtime.Goexit()
		return nil
	})
	assert.Equal(t, "300", ask(t, "1.0", "1", "d", "1.2.3.4", "", "NULL")[0])
}

func TestAuthMetaBlob(t *testing.T) {
	for _, key := range []string{"", "k", strings.Repeat("k", 255)} {
		for _, value := range []string{"", "v", strings.Repeat("v", 70_000)} {
			want, err := zmq4.AuthMetaBlob(key, value)
			require.NoError(t, err)
			got, err := AuthMetaBlob(key, value)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assert.Equal(t, len(value), int(binary.BigEndian.Uint32(got[1+len(key):])))
		}
	}
	_, err := AuthMetaBlob(strings.Repeat("k", 256), "")
	assert.ErrorContains(t, err, "Key too long: 256 bytes, want 255 at most")
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

func TestAuthRoles(t *testing.T) {
	ctx := newContext(t)
	k := newKeyPair(t)
	soc := newSocket(t, ctx, DEALER)
	mechanism := func(want Mechanism) {
		t.Helper()
		got, err := soc.GetMechanism()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	require.NoError(t, soc.ServerAuthPlain("p"))
	mechanism(PLAIN)
	require.NoError(t, soc.ServerAuthCurve("c", k.secret))
	mechanism(CURVE)
	domain, err := soc.GetZapDomain()
	require.NoError(t, err)
	assert.Equal(t, "c", domain)
	require.NoError(t, soc.ServerAuthNull("n"))
	mechanism(NULL)
	require.NoError(t, soc.ClientAuthPlain("u", "p"))
	mechanism(PLAIN)
	require.NoError(t, soc.ClientAuthCurve(k.public, k.public, k.secret))
	mechanism(CURVE)

	long := strings.Repeat("x", 256)
	for name, err := range map[string]error{
		"server key":      soc.ServerAuthCurve("d", "short"),
		"domain":          soc.ServerAuthPlain(long),
		"empty domain":    soc.ServerAuthNull(""),
		"user name":       soc.ClientAuthPlain(long, "p"),
		"password":        soc.ClientAuthPlain("u", long),
		"server's public": soc.ClientAuthCurve("short", k.public, k.secret),
		"public":          soc.ClientAuthCurve(k.public, "short", k.secret),
		"secret":          soc.ClientAuthCurve(k.public, k.public, "short"), // raw drops this one
	} {
		assert.ErrorIs(t, err, Errno(syscall.EINVAL), name)
	}
	for _, soc := range []*Socket{nil, {}} {
		for _, err := range []error{
			soc.ServerAuthNull("d"), soc.ServerAuthPlain("d"), soc.ServerAuthCurve("d", k.secret),
			soc.ClientAuthPlain("u", "p"), soc.ClientAuthCurve(k.public, k.public, k.secret),
		} {
			assert.ErrorIs(t, err, ErrorSocketClosed)
		}
	}
}
