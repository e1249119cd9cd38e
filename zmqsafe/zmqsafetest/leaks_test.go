package zmqsafetest

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestFindFindsNothing(t *testing.T) {
	ctx := newContext(t)
	_, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	require.NoError(t, ctx.Close())
	assert.NoError(t, findAtOnce(t))
}

func TestFindNamesWhatIsOpen(t *testing.T) {
	ctx, made := newContext(t), here()
	pull, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	require.NoError(t, pull.Bind("inproc://"+t.Name()))
	received := make(chan error)
	go func() { _, err := pull.Recv(0); received <- err }()
	require.Eventually(t, func() bool { return ctx.Sockets()[0].Waiting.Receives == 1 }, limit, time.Millisecond)

	err = findAtOnce(t)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "still open: 1 socket in 1 context\n")
	assert.Contains(t, err.Error(), "context made at "+made+"\n")
	assert.Contains(t, err.Error(), "PULL socket made at "+ctx.Sockets()[0].Site+" (inproc://TestFindNamesWhatIsOpen); blocked on it: 1 receive\n")
	assert.Contains(t, err.Error(), "defer ctx.Close()")
	assert.NotContains(t, err.Error(), "stays open")

	assert.Contains(t, ctx.Sockets()[0].Site, "zmqsafetest/leaks_test.go:")

	require.NoError(t, pull.Close())
	assert.ErrorIs(t, <-received, zmqsafe.ErrorSocketClosed)
	assert.ErrorContains(t, findAtOnce(t), "context made at "+made+", without sockets")
}

func TestFindWaitsForWhatIsClosedMeanwhile(t *testing.T) {
	for range 20 {
		ctx := newContext(t)
		_, err := ctx.NewSocket(zmqsafe.PULL)
		require.NoError(t, err)
		closed := make(chan error)
		go func() { closed <- ctx.Close() }()
		assert.NoError(t, Find())
		require.NoError(t, <-closed)
	}
}

func TestIgnoreCurrent(t *testing.T) {
	ctx := newContext(t)
	old, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	current := IgnoreCurrent()
	assert.NoError(t, findAtOnce(t, current))

	soc, err := ctx.NewSocket(zmqsafe.PUSH)
	require.NoError(t, err)
	err = findAtOnce(t, current)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "1 socket in 1 context")
	assert.Contains(t, err.Error(), "PUSH socket made at ")
	assert.NotContains(t, err.Error(), "PULL")
	assert.Contains(t, err.Error(), "defer soc.Close()")
	assert.NotContains(t, err.Error(), "defer ctx.Close()")

	assert.NoError(t, findAtOnce(t, current, IgnoreCurrent()), "options add up")
	require.NoError(t, soc.Close())
	assert.NoError(t, findAtOnce(t, current))
	newContext(t)
	assert.ErrorContains(t, findAtOnce(t, current), "0 sockets in 1 context")
	require.NoError(t, old.Close())
}

func TestTheDefaultContextMayStay(t *testing.T) {
	out, code := inChild(t, func() {
		soc, err := zmqsafe.NewSocket(zmqsafe.PULL)
		require.NoError(t, err)
		err = Find()
		require.ErrorContains(t, err, "default context made at zmqsafetest/leaks_test.go:")
		require.ErrorContains(t, err, "PULL socket made at zmqsafetest/leaks_test.go:")
		require.ErrorContains(t, err, "defer soc.Close()")
		require.NotContains(t, err.Error(), "defer ctx.Close()")
		require.NoError(t, soc.Close())
		require.NoError(t, Find())
		require.NoError(t, zmqsafe.Term())
		require.NoError(t, Find())
	})
	require.Zero(t, code, "%s", out)
}

func TestADefaultContextThatHangsIsFound(t *testing.T) {
	hung := zmqsafe.ContextInfo{Site: "app/main.go:1", Default: true, Closing: &zmqsafe.Report{Began: time.Unix(1, 0)}}
	assert.Len(t, new(settings).leaks([]zmqsafe.ContextInfo{hung}), 1)
}

func TestFindTellsWhatHoldsAClose(t *testing.T) {
	ctx := newContext(t)
	soc, release := newHolder(t, ctx)
	made := ctx.Sockets()[0].Site
	require.NoError(t, soc.Close())
	require.Error(t, shutdownFor(ctx, 10*time.Millisecond))

	err := findAtOnce(t)
	require.Error(t, err)
	assert.Contains(t, err.Error(), "context that is still being closed:\n      context made at zmqsafetest/")
	assert.Regexp(t, `DEALER +holding .* forever .*`+made, err.Error())
	assert.Contains(t, err.Error(), "until their LINGER is over")
	assert.NotContains(t, err.Error(), "defer ctx.Close()", "it was called")
	release()
	assert.NoError(t, Find())
}

func TestVerifyNone(t *testing.T) {
	fake := &fakeTB{TB: t}
	VerifyNone(fake)
	assert.Empty(t, fake.errors)
	newContext(t)
	VerifyNone(fake, IgnoreCurrent())
	assert.Empty(t, fake.errors)
	VerifyNone(fake)
	require.Len(t, fake.errors, 1)
	assert.Contains(t, fake.errors[0], "0 sockets in 1 context")
}

type fakeM int

func (m fakeM) Run() int { return int(m) }

func TestVerifyTestMain(t *testing.T) {
	for name, test := range map[string]struct {
		m        fakeM
		leaky    bool
		ignoring bool
		code     int
		reports  bool
	}{
		"pass":          {},
		"pass and leak": {leaky: true, code: 1, reports: true},
		"leak ignored":  {leaky: true, ignoring: true},
		"fail and leak": {m: 3, leaky: true, code: 3},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := inChild(t, func() {
				if test.leaky {
					ctx, err := zmqsafe.NewContext()
					require.NoError(t, err)
					defer func() { _ = ctx.Close() }() // keeps it from being lost
				}
				var options []Option
				if test.ignoring {
					options = append(options, IgnoreCurrent())
				}
				VerifyTestMain(test.m, options...)
				os.Exit(99)
			})
			assert.Equal(t, test.code, code, "%s", out)
			if test.reports {
				assert.Contains(t, out, "zmqsafetest: still open: 0 sockets in 1 context\n")
			} else {
				assert.Empty(t, out)
			}
		})
	}
}
