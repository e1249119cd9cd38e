package zmqsafe

import (
	"context"
	"testing"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The result is pebbe/zmq4's, even for names that no property can have.
func TestMetadata(t *testing.T) {
	properties := []string{"Socket-Type", "Identity", "Peer-Address", "User-Id", "no such", "", "Socket-Type\x00x", "X\x00"}
	rawCtx, err := zmq4.NewContext()
	require.NoError(t, err)
	raw, err := rawCtx.NewSocket(zmq4.PULL)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, raw.Close())
		require.NoError(t, rawCtx.Term())
	})
	require.NoError(t, raw.Bind("tcp://127.0.0.1:*"))
	rawEndpoint, err := raw.GetLastEndpoint()
	require.NoError(t, err)
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, "tcp://127.0.0.1:*")
	pushRaw := newSocket(t, ctx, PUSH)
	require.NoError(t, pushRaw.Connect(rawEndpoint))
	for _, soc := range []*Socket{push, pushRaw} {
		for range 2 {
			_, err := soc.SendMessage("first", "", "last")
			require.NoError(t, err)
		}
	}
	want, wantMetadata, err := raw.RecvMessageWithMetadata(0, properties...)
	require.NoError(t, err)
	require.Equal(t, "PUSH", wantMetadata["Socket-Type"])
	require.Equal(t, "127.0.0.1", wantMetadata["Peer-Address"])
	got, metadata, err := pull.RecvMessageWithMetadata(0, properties...)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Equal(t, wantMetadata, metadata)

	wantPart, wantMetadata, err := raw.RecvWithMetadata(0, properties...)
	require.NoError(t, err)
	part, metadata, err := pull.RecvWithMetadata(0, properties...)
	require.NoError(t, err)
	assert.Equal(t, wantPart, part)
	assert.Equal(t, wantMetadata, metadata)
	requireMore(t, pull, true)
	bytes, metadata, err := pull.RecvBytesWithMetadata(0)
	require.NoError(t, err)
	assert.Equal(t, []byte{}, bytes)
	assert.Equal(t, map[string]string{}, metadata)
	requireMore(t, pull, true)
	rest, metadata, err := pull.RecvMessageBytesWithMetadata(0, "Socket-Type")
	require.NoError(t, err)
	assert.Equal(t, [][]byte{[]byte("last")}, rest)
	assert.Equal(t, map[string]string{"Socket-Type": "PUSH"}, metadata)
	requireMore(t, pull, false)
}

func TestMetadataFails(t *testing.T) {
	ctx := newContext(t)
	pull := newSocket(t, ctx, PULL)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	calls := map[string]func(soc *Socket, ctx context.Context, flags Flag) (any, map[string]string, error){
		"RecvWithMetadata": func(soc *Socket, ctx context.Context, flags Flag) (any, map[string]string, error) {
			return soc.RecvWithMetadataContext(ctx, flags, "x")
		},
		"RecvBytesWithMetadata": func(soc *Socket, ctx context.Context, flags Flag) (any, map[string]string, error) {
			return soc.RecvBytesWithMetadataContext(ctx, flags, "x")
		},
		"RecvMessageWithMetadata": func(soc *Socket, ctx context.Context, flags Flag) (any, map[string]string, error) {
			return soc.RecvMessageWithMetadataContext(ctx, flags, "x")
		},
		"RecvMessageBytesWithMetadata": func(soc *Socket, ctx context.Context, flags Flag) (any, map[string]string, error) {
			return soc.RecvMessageBytesWithMetadataContext(ctx, flags, "x")
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			check := func(want error, result any, metadata map[string]string, err error) {
				t.Helper()
				assert.ErrorIs(t, err, want)
				assert.Empty(t, result)
				assert.Nil(t, metadata)
			}
			result, metadata, err := call(pull, t.Context(), DONTWAIT)
			check(errAgain, result, metadata, err)
			result, metadata, err = call(pull, canceled, 0)
			check(context.Canceled, result, metadata, err)
			result, metadata, err = call(nil, t.Context(), 0)
			check(ErrorSocketClosed, result, metadata, err)
		})
	}
}

// The functions wait as Recv does.
func TestMetadataWaits(t *testing.T) {
	ctx := newContext(t)
	pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
	got := make(chan []string, 1)
	for range 100 {
		go func() {
			message, _, err := pull.RecvMessageWithMetadata(0)
			assert.NoError(t, err)
			got <- message
		}()
		waitUntilBlocked(t, pull, POLLIN)
		_, err := push.SendMessage("a", "b")
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, waitFor(t, "RecvMessageWithMetadata", got))
	}
}
