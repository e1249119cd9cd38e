package zmqsafe

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAuthStartStop(t *testing.T) {
	newAuth(t)
	AuthStop()
	for range 3 {
		require.NoError(t, AuthStart())
		assert.EqualError(t, AuthStart(), "Auth is already running")
		assert.Equal(t, "200", ask(t, zapNull...)[0])
		AuthStop()
		AuthStop()
	}
	// What somebody else has bound is his.
	handler := newDefaultSocket(t, ROUTER)
	require.NoError(t, handler.Bind(zapEndpoint))
	assert.Equal(t, error(EADDRINUSE), AuthStart())
	require.NoError(t, handler.Close())
	require.NoError(t, AuthStart())
	assert.ErrorIs(t, newDefaultSocket(t, REP).Bind(zapEndpoint), EADDRINUSE)
}

func TestAuthRulesOutliveStop(t *testing.T) {
	newAuth(t)
	AuthDeny("d", "1.2.3.4")
	for range 2 {
		require.NoError(t, AuthStart())
		assert.Equal(t, "400", ask(t, zapNull...)[0])
		AuthStop()
	}
}

func TestAuthKeepsItsSocketToItself(t *testing.T) {
	startAuth(t)
	assert.Empty(t, defaultContext.ctx.Sockets())
}

func TestAuthTerm(t *testing.T) {
	startAuth(t)
	bounded(t, "Term", func() { require.NoError(t, Term()) })
	assert.Equal(t, ErrorContextClosed, AuthStart())
	bounded(t, "AuthStop", AuthStop)
	assert.Equal(t, ErrorContextClosed, AuthStart())
}

func TestAuthMetadataHandlerEndsItsGoroutine(t *testing.T) {
	startAuth(t)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		runtime.Goexit()
		return nil
	})
	assert.Equal(t, "300", ask(t, zapNull...)[0])
}

// blockingHandler sets a metadata handler that says when it is called, and goes
// on when it is told to or the test ends.
func blockingHandler(t testing.TB) (called <-chan struct{}, goOn func()) {
	in, out := make(chan struct{}, 100), make(chan struct{})
	goOn = sync.OnceFunc(func() { close(out) })
	t.Cleanup(goOn)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		in <- struct{}{}
		<-out
		return map[string]string{"User-Id": "late"}
	})
	return in, goOn
}

func TestAuthStopDoesNotWaitForTheHandler(t *testing.T) {
	startAuth(t)
	called, goOn := blockingHandler(t)
	soc := newDefaultSocket(t, REQ)
	require.NoError(t, soc.Connect(zapEndpoint))
	_, err := soc.SendMessage(zapNull)
	require.NoError(t, err)
	waitFor(t, "handler", called)
	waiting := newDefaultSocket(t, REQ)
	require.NoError(t, waiting.Connect(zapEndpoint))
	_, err = waiting.SendMessage(zapNull)
	require.NoError(t, err)
	bounded(t, "AuthStop", AuthStop)
	for _, soc := range []*Socket{soc, waiting} {
		require.NoError(t, soc.SetRcvtimeo(limit))
		reply, err := soc.RecvMessage(0)
		require.NoError(t, err)
		assert.Equal(t, "300", reply[2])
	}
	require.NoError(t, AuthStart())
	AuthSetMetadataHandler(nil)
	goOn()
	assert.Equal(t, []string{"200", "OK", "", ""}, ask(t, zapNull...))
}

// Without a handler, who asked before AuthStop gets a real answer.
func TestAuthStopAnswers(t *testing.T) {
	newAuth(t)
	for range 20 {
		require.NoError(t, AuthStart())
		var asking []*Socket
		for range 5 {
			soc := newDefaultSocket(t, REQ)
			require.NoError(t, soc.Connect(zapEndpoint))
			_, err := soc.SendMessage(zapNull)
			require.NoError(t, err)
			asking = append(asking, soc)
		}
		AuthStop()
		for _, soc := range asking {
			require.NoError(t, soc.SetRcvtimeo(limit))
			reply, err := soc.RecvMessage(0)
			require.NoError(t, err)
			assert.Equal(t, "200", reply[2])
			require.NoError(t, soc.Close())
		}
	}
}

func TestAuthTermDoesNotWaitForTheHandler(t *testing.T) {
	startAuth(t)
	called, _ := blockingHandler(t)
	soc := newDefaultSocket(t, REQ)
	require.NoError(t, soc.Connect(zapEndpoint))
	_, err := soc.SendMessage(zapNull)
	require.NoError(t, err)
	waitFor(t, "handler", called)
	bounded(t, "Term", func() { require.NoError(t, Term()) })
	bounded(t, "AuthStop", AuthStop)
}

func TestAuthStopFromTheHandler(t *testing.T) {
	startAuth(t)
	done := make(chan error, 1)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		AuthStop()
		AuthSetMetadataHandler(nil)
		done <- AuthStart()
		return nil
	})
	assert.Equal(t, "300", ask(t, zapNull...)[0])
	require.NoError(t, waitFor(t, "handler", done))
	assert.Equal(t, "200", ask(t, zapNull...)[0])
}

func TestTermFromTheAuthHandler(t *testing.T) {
	startAuth(t)
	done := make(chan error, 1)
	AuthSetMetadataHandler(func(_, _, _, _, _, _ string, _ ...string) map[string]string {
		done <- Term()
		return nil
	})
	soc := newDefaultSocket(t, REQ)
	require.NoError(t, soc.Connect(zapEndpoint))
	_, err := soc.SendMessage(zapNull)
	require.NoError(t, err)
	require.NoError(t, waitFor(t, "Term", done))
}
