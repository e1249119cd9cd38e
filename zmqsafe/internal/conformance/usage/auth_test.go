package usage_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	zmq4 "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// CURVE in the default context: AuthStart twice with the error ignored, as by
// two servers in one program, AuthStop before the sockets close, and then Term.
func TestUsageCurve(t *testing.T) {
	if !zmq4.HasCurve() {
		t.Skip("libzmq was built without CURVE")
	}
	ownDefault(t, func() {
		_ = zmq4.AuthStart()
		zmq4.AuthAllow("usage", "127.0.0.1")
		serverPublic, serverSecret, err := zmq4.NewCurveKeypair()
		require.NoError(t, err)
		clientPublic, clientSecret, err := zmq4.NewCurveKeypair()
		require.NoError(t, err)
		zmq4.AuthCurveAdd("usage", clientPublic)
		defer zmq4.AuthCurveRemoveAll("usage")
		_ = zmq4.AuthStart()

		server, err := zmq4.NewSocket(zmq4.REP)
		require.NoError(t, err)
		require.NoError(t, server.ServerAuthCurve("usage", serverSecret))
		require.NoError(t, server.Bind("tcp://127.0.0.1:*"))
		endpoint := bound(t, server)[1:]
		client, err := zmq4.NewSocket(zmq4.REQ)
		require.NoError(t, err)
		require.NoError(t, client.ClientAuthCurve(serverPublic, clientPublic, clientSecret))
		require.NoError(t, client.Connect(endpoint))
		_, err = client.Send("secret", 0)
		require.NoError(t, err)
		request, err := server.Recv(0)
		require.NoError(t, err)
		_, err = server.Send(request, 0)
		require.NoError(t, err)
		reply, err := client.Recv(0)
		require.NoError(t, err)
		assert.Equal(t, "secret", reply)

		strangerPublic, strangerSecret, err := zmq4.NewCurveKeypair()
		require.NoError(t, err)
		stranger, err := zmq4.NewSocket(zmq4.DEALER)
		require.NoError(t, err)
		require.NoError(t, stranger.ClientAuthCurve(serverPublic, strangerPublic, strangerSecret))
		require.NoError(t, stranger.SetLinger(0))
		require.NoError(t, stranger.Connect(endpoint))
		_, err = stranger.SendMessage("", "let me in")
		require.NoError(t, err)
		require.NoError(t, server.SetRcvtimeo(100*time.Millisecond))
		_, err = server.Recv(0)
		assert.Error(t, err, "from one who may not")

		start(t, zmq4.AuthStop)()
		for _, soc := range []*zmq4.Socket{stranger, client, server} {
			require.NoError(t, soc.Close())
		}
		start(t, func() { assert.NoError(t, zmq4.Term()) })()
	})
}

// PLAIN with a metadata handler, and an end without AuthStop.
func TestUsagePlain(t *testing.T) {
	needsGuard(t, "Term without AuthStop never returns")
	ownDefault(t, func() {
		require.NoError(t, zmq4.AuthStart())
		zmq4.AuthPlainAdd("usage", "user", "password")
		defer zmq4.AuthPlainRemoveAll("usage")
		zmq4.AuthSetMetadataHandler(func(_, _, _, _, _, _ string, credentials ...string) map[string]string {
			return map[string]string{"User-Id": credentials[0], "Role": "reader"}
		})
		defer zmq4.AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string { return nil })
		server, err := zmq4.NewSocket(zmq4.PULL)
		require.NoError(t, err)
		require.NoError(t, server.ServerAuthPlain("usage"))
		require.NoError(t, server.Bind("tcp://127.0.0.1:*"))
		client, err := zmq4.NewSocket(zmq4.PUSH)
		require.NoError(t, err)
		defer runtime.KeepAlive(client) // lost after Send, it would have only its linger for the handshake
		require.NoError(t, client.ClientAuthPlain("user", "password"))
		require.NoError(t, client.Connect(bound(t, server)[1:]))
		_, err = client.Send("message", 0)
		require.NoError(t, err)
		_, metadata, err := server.RecvWithMetadata(0, "User-Id", "Role")
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"User-Id": "user", "Role": "reader"}, metadata)
		start(t, func() { assert.NoError(t, zmq4.Term()) })()
	})
}
