package zmqsafe

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACallerSkipNamesTheCallerOfTheHelper(t *testing.T) {
	helper := func(skip int) (*Context, error) { return NewContext(WithCallerSkip(skip)) }
	direct, err := helper(0)
	require.NoError(t, err)
	ctx, err := helper(1)
	require.NoError(t, err)
	assert.Regexp(t, `zmqsafe/site_test\.go:12$`, direct.c.made.String())
	assert.Regexp(t, `zmqsafe/site_test\.go:15$`, ctx.c.made.String())
	require.NoError(t, direct.Close())
	require.NoError(t, ctx.Close())

	_, err = helper(-1)
	assert.ErrorContains(t, err, "WithCallerSkip(-1): want 0 or more")
	assert.Equal(t, Errno(syscall.EINVAL), AsErrno(err))
}

func TestContextsTellTheDefaultContext(t *testing.T) {
	newDefault(t)
	ctx := newContext(t)
	soc, err := NewSocket(PULL)
	require.NoError(t, err)
	defaults := make(map[string]bool)
	for _, info := range Contexts() {
		defaults[info.Site] = info.Default
	}
	assert.False(t, defaults[ctx.c.made.String()])
	own, err := soc.Context()
	require.NoError(t, err)
	assert.True(t, defaults[own.c.made.String()])
}
