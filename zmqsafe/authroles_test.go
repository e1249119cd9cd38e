package zmqsafe

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
