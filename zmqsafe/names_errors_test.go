package zmqsafe

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Passwords and keys don't appear in errors, and so not in logs.
func TestErrorsKeepSecrets(t *testing.T) {
	soc := newSocket(t, newContext(t), DEALER)
	secret := strings.Repeat("secret", 50)
	for _, err := range []error{
		soc.SetPlainPassword(secret), soc.SetCurveSecretkey(secret), soc.SetCurveSecretkey("\x00" + secret), soc.SetPlainUsername(secret),
	} {
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "secret")
		assert.ErrorContains(t, err, "bytes")
	}
	_, err := AuthCurvePublic(secret)
	assert.NotContains(t, err.Error(), "secret")
}

// Every error that the package makes of an Errno matches it in each of its
// forms. libzmq's own stay plain.
func TestErrorsIs(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, PULL)
	closed := newSocket(t, ctx, PULL)
	require.NoError(t, closed.Close())
	_, again := soc.Recv(DONTWAIT)
	_, onNil := (*Socket)(nil).Recv(0)
	_, onNilContext := (*Context)(nil).NewSocket(PULL)
	_, onClosed := closed.Recv(0)
	over := newContext(t)
	require.NoError(t, over.Close())
	_, onClosedContext := over.NewSocket(PULL)
	taken := newSocket(t, ctx, PULL)
	require.NoError(t, taken.Bind("tcp://127.0.0.1:*"))
	endpoint, err := taken.GetLastEndpoint()
	require.NoError(t, err)
	standIn := func() error {
		soc := newSocket(t, ctx, PULL)
		defer exhaustDescriptors(t)()
		_, err := soc.GetFd()
		return err
	}
	arm := func() error {
		soc := newSocket(t, ctx, PULL)
		require.NoError(t, soc.SetRcvtimeo(1))
		own, err := soc.s.raw.GetFd()
		require.NoError(t, err)
		require.NoError(t, ctx.c.waker.Add(-1, own, nil)) // so that it can't be added again
		defer ctx.c.waker.Remove(-1, own)
		_, err = soc.Recv(0)
		return err
	}
	for name, c := range map[string]struct {
		err   error
		plain bool
		errno syscall.Errno
		is    error
	}{
		"plain":              {again, true, syscall.EAGAIN, nil},
		"plain, of libzmq":   {soc.Bind(endpoint), true, syscall.EADDRINUSE, nil},
		"an argument":        {soc.SetRcvhwm(-1), false, syscall.EINVAL, nil},
		"an endpoint":        {soc.Bind("nonsense"), false, syscall.EINVAL, nil},
		"no permission":      {&usageError{"a test", Errno(syscall.EACCES)}, false, syscall.EACCES, os.ErrPermission},
		"no descriptor":      {standIn(), false, syscall.EMFILE, nil},
		"the system's":       {arm(), false, syscall.EEXIST, os.ErrExist},
		"nil":                {onNil, false, 0, ErrorSocketClosed},
		"nil, closed":        {onNil, false, 0, net.ErrClosed},
		"nil context":        {onNilContext, false, 0, ErrorContextClosed},
		"nil context closed": {onNilContext, false, 0, net.ErrClosed},
		"closed":             {onClosed, true, 0, ErrorSocketClosed},
		"context closed":     {onClosedContext, true, 0, ErrorContextClosed},
	} {
		t.Run(name, func(t *testing.T) {
			if c.is != nil {
				assert.ErrorIs(t, c.err, c.is)
			}
			assert.Equal(t, Errno(c.errno), AsErrno(c.err))
			assert.NotErrorIs(t, c.err, syscall.EPERM)
			if c.errno == 0 {
				return
			}
			assert.ErrorIs(t, c.err, Errno(c.errno))
			assert.NotErrorIs(t, c.err, net.ErrClosed)
			if c.plain {
				assert.Equal(t, error(Errno(c.errno)), c.err, "so that == goes on working")
			} else {
				assert.ErrorIs(t, c.err, c.errno)
			}
		})
	}
}
