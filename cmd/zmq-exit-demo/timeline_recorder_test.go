package main

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/zmq-exit-demo/internal/timeline"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestReportsAreCaughtAndLogsGoOn(t *testing.T) {
	old, flags, out := slog.Default(), log.Flags(), log.Writer()
	t.Cleanup(func() {
		slog.SetDefault(old)
		log.SetFlags(flags)
		log.SetOutput(out)
	})
	var logged bytes.Buffer
	log.SetOutput(&logged)
	dir := t.TempDir()
	stop, err := startRecording(dir)
	require.NoError(t, err)

	slog.Info("before")
	log.Print("old style")
	slog.With("k", "v").WithGroup("g").Warn("with attributes")
	ctx, err := zmqsafe.NewContext()
	require.NoError(t, err)
	sock, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	require.NoError(t, sock.Bind("inproc://caught"))
	require.NoError(t, ctx.Close())
	last, err := zmqsafe.NewContext()
	require.NoError(t, err)
	stop()

	assert.Regexp(t, `INFO before\n.*old style\n.*WARN with attributes k=v\n$`, logged.String(), "and no debug record of the close")
	contexts, err := timeline.ReadDir(dir)
	require.NoError(t, err)
	require.NoError(t, last.Close())
	require.Len(t, contexts, 2, "stop has looked once more")
	c := contexts[0]
	assert.True(t, c.Done)
	assert.Len(t, c.Steps, 4)
	require.Len(t, c.Sockets, 1)
	assert.Equal(t, []string{"inproc://caught"}, c.Sockets[0].Endpoints)
}

// A context with a logger of its own is seen from outside.
func TestLookingAtContexts(t *testing.T) {
	dir := t.TempDir()
	file, err := os.CreateTemp(dir, "")
	require.NoError(t, err)
	look := newLooker(&recorder{file: file})

	ctx, err := zmqsafe.NewContext(zmqsafe.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	look.look()
	first, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	second, err := ctx.NewSocket(zmqsafe.PULL)
	require.NoError(t, err)
	require.NoError(t, second.Bind("inproc://seen"))
	bound, cancel := context.WithCancel(t.Context())
	received := make(chan error, 1)
	go func() {
		_, err := first.RecvContext(bound, 0)
		received <- err
	}()
	require.Eventually(t, func() bool { return ctx.Sockets()[0].Waiting.Receives == 1 }, enough, 1)
	look.look()
	cancel()
	require.ErrorIs(t, <-received, context.Canceled)
	look.look()
	require.NoError(t, first.Close())
	look.look()
	require.NoError(t, ctx.Close())
	look.look()
	require.NoError(t, file.Close())

	contexts, err := timeline.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, contexts, 1)
	c := contexts[0]
	assert.True(t, c.Done)
	require.Len(t, c.Sockets, 2)
	require.Len(t, c.Sockets[0].Blocked, 1)
	assert.Equal(t, "1 receive", c.Sockets[0].Blocked[0].Calls)
	assert.True(t, c.Sockets[0].About)
	assert.True(t, c.Sockets[0].Blocked[0].To.Before(c.Sockets[0].Closed), "the receive was given up before")
	assert.True(t, c.Sockets[0].Closed.Before(c.Sockets[1].Closed))
	assert.Equal(t, []string{"inproc://seen"}, c.Sockets[1].Endpoints)
}

func TestLookingAtAClose(t *testing.T) {
	dir := t.TempDir()
	file, err := os.CreateTemp(dir, "")
	require.NoError(t, err)
	look := newLooker(&recorder{file: file})
	endpoint, err := closedPort()
	require.NoError(t, err)
	ctx, err := zmqsafe.NewContext(zmqsafe.WithLogger(slog.New(slog.DiscardHandler)))
	require.NoError(t, err)
	sock, err := ctx.NewSocket(zmqsafe.PUSH)
	require.NoError(t, err)
	require.NoError(t, sock.Connect(endpoint))
	_, err = sock.Send("to nobody", 0)
	require.NoError(t, err)

	at, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, ctx.Shutdown(at), context.Canceled) // it goes on in the background
	look.look()
	require.NoError(t, ctx.Close())
	require.NoError(t, file.Close())
	contexts, err := timeline.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, contexts, 1)
	assert.False(t, contexts[0].Began.IsZero())
	assert.False(t, contexts[0].Done)
}

// The recording is there up to the moment at which the process is killed.
func TestRecordingOfAProcessThatIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	ended := make(chan error, 1)
	go func() {
		_, err := runChild(ctx, infiniteLinger, guarded, enough, recordVariable+"="+dir)
		ended <- err
	}()
	require.Eventually(t, func() bool {
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		if len(files) == 0 {
			return false
		}
		text, err := os.ReadFile(files[0])
		return err == nil && bytes.Contains(text, []byte(`"closed":`))
	}, enough, 1)
	kill()
	<-ended
	contexts, err := timeline.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, contexts, 1)
	assert.False(t, contexts[0].Began.IsZero())
	assert.Len(t, contexts[0].Sockets, 1)
}

func TestRecordingThatCannotBeWritten(t *testing.T) {
	_, err := startRecording(filepath.Join(t.TempDir(), "missing"))
	assert.ErrorIs(t, err, os.ErrNotExist)
	stop, err := startRecording("")
	require.NoError(t, err)
	stop()
}
