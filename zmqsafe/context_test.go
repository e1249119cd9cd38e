package zmqsafe

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Without descriptors calls fail; with pebbe/zmq4 some of them abort the
// process. What worked before goes on working, and everything works again once
// descriptors are free.
func TestNoDescriptorsLeft(t *testing.T) {
	ctx, fresh := newContext(t), newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	again := exhaustDescriptors(t)
	for _, c := range []*Context{ctx, fresh} {
		_, err := c.NewSocket(PULL)
		assert.Equal(t, Errno(syscall.EMFILE), AsErrno(err))
	}
	_, err := pull.GetFd()
	assert.ErrorIs(t, err, syscall.EMFILE)
	assert.Equal(t, Errno(syscall.EMFILE), AsErrno(pull.Monitor("inproc://events", EVENT_ALL)))
	got := make(chan string)
	go func() { s, err := pull.Recv(0); assert.NoError(t, err); got <- s }()
	waitUntilBlocked(t, pull, POLLIN)
	_, err = push.Send("x", 0)
	assert.NoError(t, err)
	assert.Equal(t, "x", waitFor(t, "Recv", got))
	again()
	newSocket(t, fresh, PULL)
	require.NoError(t, pull.Monitor("inproc://events", EVENT_ALL))
}

// exhaustDescriptors takes all descriptors that the process may have. The
// function it returns gives them back.
func exhaustDescriptors(t *testing.T) func() {
	t.Helper()
	var old syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 256, Max: old.Max}))
	var files []*os.File
	for {
		f, err := os.Open("/dev/null")
		if err != nil {
			break
		}
		files = append(files, f)
	}
	return func() {
		for _, f := range files {
			_ = f.Close()
		}
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old))
	}
}

func TestDefaultLinger(t *testing.T) {
	lingerOf := func(ctx *Context, typ Type) time.Duration {
		d, err := newSocket(t, ctx, typ).GetLinger()
		require.NoError(t, err)
		return d
	}
	ctx := newContext(t, WithLinger(linger.Default))
	assert.Equal(t, time.Second, lingerOf(ctx, PUB))
	assert.Equal(t, time.Duration(0), lingerOf(ctx, XSUB))
	require.NoError(t, ctx.SetBlocky(false))
	assert.Equal(t, time.Duration(0), lingerOf(ctx, PUB))

	t.Setenv(LingerVariable, "250ms")
	ctx, err := NewContext()
	require.NoError(t, err)
	assert.Equal(t, 250*time.Millisecond, lingerOf(ctx, PUB))
	require.NoError(t, ctx.Close())
	assert.Equal(t, time.Millisecond, lingerOf(newContext(t, WithLinger(linger.MustFor(1))), PUB), "an option wins")

	t.Setenv(LingerVariable, "soon")
	_, err = NewContext()
	assert.ErrorContains(t, err, LingerVariable)
	assert.ErrorContains(t, err, "forever")
}

func TestACallerSkipNamesTheCallerOfTheHelper(t *testing.T) {
	helper := func(skip int) (*Context, error) { return NewContextWith(WithCallerSkip(skip)) }
	direct, err := helper(0)
	require.NoError(t, err)
	ctx, err := helper(1)
	require.NoError(t, err)
	assert.Regexp(t, `zmqsafe/context_test\.go:89$`, direct.c.made.String())
	assert.Regexp(t, `zmqsafe/context_test\.go:92$`, ctx.c.made.String())
	require.NoError(t, direct.Close())
	require.NoError(t, ctx.Close())

	_, err = helper(-1)
	assert.ErrorContains(t, err, "WithCallerSkip(-1): want 0 or more")
	assert.Equal(t, Errno(syscall.EINVAL), AsErrno(err))
}
