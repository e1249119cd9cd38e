package zmqsafe

import (
	"encoding/binary"
	"strings"
	"syscall"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// internal/zap tests what the rules mean. Here each function is followed by
// requests whose answers it changes.
func TestAuthRules(t *testing.T) {
	alice, bob := newKeyPair(t), newKeyPair(t)
	curve := func(k keyPair) []string { return []string{"CURVE", zmq4.Z85decode(k.public)} }
	plain := []string{"PLAIN", "u", "p"}
	null := []string{"NULL"}
	startAuth(t)
	for _, step := range []struct {
		name            string
		rule            func()
		domain, address string
		mechanism       []string
		want            string
	}{
		{"no rule", func() {}, "d", "1.2.3.4", plain, "400"},
		{"AuthPlainAdd", func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain, "200"},
		{"elsewhere", func() {}, "e", "1.2.3.4", plain, "400"},
		{"new password", func() { AuthPlainAdd("d", "u", "q") }, "d", "1.2.3.4", plain, "400"},
		{"old password", func() { AuthPlainAdd("d", "u", "p") }, "d", "1.2.3.4", plain, "200"},
		{"AuthPlainRemove", func() { AuthPlainRemove("d", "x", "u") }, "d", "1.2.3.4", plain, "400"},
		{"all domains", func() { AuthPlainAdd("*", "u", "p") }, "d", "1.2.3.4", plain, "200"},
		{"AuthPlainRemoveAll", func() { AuthPlainRemoveAll("*") }, "d", "1.2.3.4", plain, "400"},

		{"no key", func() {}, "d", "1.2.3.4", curve(alice), "400"},
		{"AuthCurveAdd", func() { AuthCurveAdd("d", bob.public, alice.public) }, "d", "1.2.3.4", curve(alice), "200"},
		{"the other key", func() {}, "d", "1.2.3.4", curve(bob), "200"},
		{"AuthCurveRemove", func() { AuthCurveRemove("d", alice.public) }, "d", "1.2.3.4", curve(alice), "400"},
		{"not the other key", func() {}, "d", "1.2.3.4", curve(bob), "200"},
		{"CURVE_ALLOW_ANY", func() { AuthCurveAdd("d", CURVE_ALLOW_ANY) }, "d", "1.2.3.4", curve(alice), "200"},
		{"AuthCurveRemoveAll", func() { AuthCurveRemoveAll("d") }, "d", "1.2.3.4", curve(bob), "400"},

		{"AuthDeny", func() { AuthDeny("d", "1.2.3.0/24", "1.2.4.4") }, "d", "1.2.3.4", null, "400"},
		{"not denied", func() {}, "d", "1.2.5.4", null, "200"},
		{"AuthAllow", func() { AuthAllow("d", "1.2.3.4", "1.2.3.5") }, "d", "1.2.3.4", null, "200"},
		{"not allowed", func() {}, "d", "1.2.5.4", null, "400"},
		{"address for a domain", func() { AuthAllow("1.2.5.4") }, "d", "1.2.5.4", null, "200"},
		{"only a mistake", func() { AuthAllow("f", "localhost") }, "f", "127.0.0.1", null, "400"},
	} {
		step.rule()
		request := append([]string{"1.0", "77", step.domain, step.address, "identity"}, step.mechanism...)
		assert.Equal(t, step.want, ask(t, request...)[0], step.name)
	}
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
		"secret":          soc.ClientAuthCurve(k.public, k.public, "short"), // pebbe/zmq4 drops this one
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

// To a socket with SetIpv6, an IPv4 peer has an IPv6 address.
func TestAuthDeniesIpv4PeerOfIpv6Socket(t *testing.T) {
	startAuth(t)
	server := newDefaultSocket(t, PULL)
	require.NoError(t, server.SetIpv6(true))
	require.NoError(t, server.ServerAuthNull("d"))
	if err := server.Bind("tcp://[::]:*"); err != nil {
		t.Skip("the system has no IPv6: ", err)
	}
	endpoint, err := server.GetLastEndpoint()
	require.NoError(t, err)
	connect := func() Event {
		client := newDefaultSocket(t, PUSH)
		events := client.Events(t.Context(), EVENT_HANDSHAKE_SUCCEEDED|EVENT_HANDSHAKE_FAILED_AUTH)
		require.NoError(t, client.Connect(strings.Replace(endpoint, "[::]", "127.0.0.1", 1)))
		for event, err := range events {
			require.NoError(t, err)
			return event.Event
		}
		return 0
	}
	assert.Equal(t, EVENT_HANDSHAKE_SUCCEEDED, connect())
	AuthDeny("d", "::/0")
	assert.Equal(t, EVENT_HANDSHAKE_FAILED_AUTH, connect())
}
