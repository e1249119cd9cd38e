package zmqsafe

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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

// libzmq aborts when a peer has to be authenticated and something else than a
// REP or ROUTER is there.
func TestAuthEndpointTakesNoOtherSocket(t *testing.T) {
	ctx := newContext(t)
	for _, typ := range []Type{REQ, DEALER, PUB, SUB, XPUB, XSUB, PUSH, PULL, PAIR} {
		assert.ErrorIs(t, newSocket(t, ctx, typ).Bind(zapEndpoint), ENOCOMPATPROTO, "%v", typ)
	}
	assert.ErrorIs(t, newSocket(t, ctx, PULL).Monitor(zapEndpoint, EVENT_ALL), ENOCOMPATPROTO)
	require.NoError(t, newSocket(t, ctx, REP).Bind(zapEndpoint))
}

// A program may have connected to the endpoint, and nobody bound it, when the
// context is closed: what the package then binds there must not upset libzmq.
func TestAuthPendingConnectAtClose(t *testing.T) {
	for range 10 {
		ctx := newContext(t)
		require.NoError(t, newSocket(t, ctx, REQ).Connect(zapEndpoint))
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 10 {
			server := newSocket(t, ctx, PULL)
			require.NoError(t, server.ServerAuthNull("d"))
			require.NoError(t, server.Bind("tcp://127.0.0.1:*"))
			endpoint, err := server.GetLastEndpoint()
			require.NoError(t, err)
			wg.Go(func() {
				for !isClosed(stop) {
					greetAndLeave(endpoint, "NULL")
				}
			})
		}
		time.Sleep(10 * time.Millisecond)
		bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
		close(stop)
		wg.Wait()
	}
}
