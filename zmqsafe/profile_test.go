package zmqsafe

import (
	"bytes"
	"log/slog"
	"regexp"
	"runtime/pprof"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func profileText(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, pprof.Lookup(ProfileName).WriteTo(&b, 1))
	return b.String()
}

// Stacks begin where the program called, not inside this package.
func TestProfileHasCreationStacks(t *testing.T) {
	newDefault(t)
	ctx := newContext(t)
	p := pprof.Lookup(ProfileName)
	require.NotNil(t, p)
	before := p.Count()
	makeThree := func() (sockets []*Socket) {
		for range 3 {
			soc, err := ctx.NewSocket(PUSH)
			require.NoError(t, err)
			sockets = append(sockets, soc)
		}
		return sockets
	}
	sockets := makeThree()
	own, err := NewSocket(PULL) // in the default context
	require.NoError(t, err)
	assert.Equal(t, before+4, p.Count())
	text := profileText(t)
	assert.Regexp(t, regexp.MustCompile(`(?m)^3 @ .*\n#\t0x[0-9a-f]+\t.*TestProfileHasCreationStacks\.func1\S*\t+\S*zmqsafe/profile_test\.go:\d+$`), text)
	assert.Regexp(t, regexp.MustCompile(`(?m)^1 @ .*\n#\t0x[0-9a-f]+\t.*TestProfileHasCreationStacks\S*\t+\S*zmqsafe/profile_test\.go:\d+$`), text)
	require.NoError(t, own.Close())
	require.NoError(t, sockets[0].Close())
	require.NoError(t, sockets[0].Close())
	assert.Equal(t, before+2, p.Count())
	require.NoError(t, sockets[1].SetLinger(-1)) // so zmq_close waits for a moment
	require.NoError(t, sockets[1].Close())
	assert.Equal(t, before+1, p.Count())
	assert.Len(t, ctx.Sockets(), 1)
	require.NoError(t, ctx.Close())
	assert.Equal(t, before, p.Count())
}

// A socket that its context closes while it is being made leaves nothing behind.
func TestProfileAndRacingClose(t *testing.T) {
	before := pprof.Lookup(ProfileName).Count()
	for range rounds(200) {
		ctx := newContext(t, WithLogger(slog.New(slog.DiscardHandler))) // they are lost, too
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					if _, err := ctx.NewSocket(PUSH); err != nil {
						return
					}
				}
			})
		}
		require.NoError(t, ctx.Close())
		bounded(t, "NewSocket", wg.Wait)
	}
	assert.Equal(t, before, pprof.Lookup(ProfileName).Count())
}
