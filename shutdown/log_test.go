package shutdown

import (
	"bytes"
	"context"
	"log/slog"
	"runtime/trace"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSilenceWhileNothingIsWrong(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log syncBuffer
		g.Logger = toLog(&log)
		require.NoError(t, g.Add("zmq", Func(func(context.Context) error { time.Sleep(time.Second); return nil })))
		require.NoError(t, g.Go("worker", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Second); return nil }))
		g.Stop()
		require.NoError(t, g.Run(bg))
		time.Sleep(time.Hour)
		assert.Empty(t, log.String())
	})
}

func waitsInHere(c <-chan struct{}) { <-c }

func TestWarningsWhileItIsWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log syncBuffer
		g.Logger = toLog(&log)
		release := make(chan struct{})
		defer close(release)
		require.NoError(t, g.Add("zmq", Func(func(context.Context) error { waitsInHere(release); return nil })))
		for range 2 {
			require.NoError(t, g.Go("pull", func(context.Context) error { waitsInHere(release); return nil }))
		}
		require.NoError(t, g.Go("feed", func(context.Context) error { waitsInHere(release); return nil }))
		go func() { _ = g.Shutdown(bg) }()
		time.Sleep(2*time.Second - time.Nanosecond)
		synctest.Wait()
		assert.Empty(t, log.String())

		time.Sleep(time.Nanosecond) // half of the grace
		synctest.Wait()
		const at = ` at="[github.com/zmqsafe/zmq-exit/shutdown.waitsInHere `
		assert.Contains(t, log.String(), `level=WARN msg="shutdown: still waiting for workers" workers="[pull (2) feed]" since=2s grace=4s`+at)
		assert.Contains(t, log.String(), "/shutdown/log_test.go:")
		assert.NotContains(t, log.String(), "shutdown.(*Group).work")
		assert.Equal(t, 1, countLines(log.String()), log.String())

		time.Sleep(4*time.Second - time.Nanosecond) // to half of the step
		synctest.Wait()
		assert.Equal(t, 1, countLines(log.String()), log.String())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		assert.Contains(t, log.String(), `level=WARN msg="shutdown: still waiting for a step" step=zmq since=2s timeout=4s`+at)
		assert.Equal(t, 2, countLines(log.String()), log.String())
		time.Sleep(time.Minute)
		assert.Equal(t, 2, countLines(log.String()), log.String())
	})
}

// Without the functions by which one group waits for the other.
func TestAWarningNamesThePlaceInAGroupInside(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log syncBuffer
		g.Logger = toLog(&log)
		release := make(chan struct{})
		defer close(release)
		inner := Group{Logger: quiet()}
		require.NoError(t, inner.AddCloser("zmq", closer(func() error { waitsInHere(release); return nil })))
		require.NoError(t, g.Go("inner", inner.Run))
		g.Stop()
		require.Error(t, g.Run(bg))
		assert.Contains(t, log.String(), `at="[github.com/zmqsafe/zmq-exit/shutdown.waitsInHere `)
		for _, between := range []string{"(*Group)", "(*takedown)", "shutdown.wait[", "runtime/"} {
			assert.NotContains(t, log.String(), between)
		}
	})
}

func TestTheReportIsLoggedForDebugging(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log syncBuffer
		g.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		require.NoError(t, g.Shutdown(bg))
		assert.Contains(t, log.String(), `level=DEBUG msg="shutdown: report" report.took=0s report.timeout=8s report.over=true`)
	})
}

func TestAStepThatPanicsAfterItWasLeftBehindIsLogged(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log syncBuffer
		g.Logger = toLog(&log)
		require.NoError(t, g.Add("late", Func(func(context.Context) error { time.Sleep(time.Hour); panic("boom") })))
		require.Error(t, g.Shutdown(bg))
		assert.NotContains(t, log.String(), "level=ERROR")
		time.Sleep(time.Hour)
		assert.Contains(t, log.String(), `level=ERROR msg="shutdown: panic" step=late panic=boom`)
	})
}

// panickingHandler is a log with a mistake in it.
type panickingHandler struct{ slog.Handler }

func (panickingHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (panickingHandler) Handle(context.Context, slog.Record) error { panic("log") }

func TestALogThatPanicsEndsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		g.Logger = slog.New(panickingHandler{slog.DiscardHandler})
		var j journal
		require.NoError(t, g.Add("last", j.step("last")))
		require.NoError(t, g.Add("panics", Func(func(context.Context) error { panic(1) })))
		require.NoError(t, g.Add("hangs", newStuck(t)))
		require.NoError(t, g.Go("deaf", newStuck(t).work))
		require.NoError(t, g.Go("panics", func(context.Context) error { panic(1) }))
		assert.Equal(t, StatusPanic, ExitStatus(g.Run(bg)))
		assert.Equal(t, []string{"last"}, j.all())
	})
}

// hangingHandler is a log whose reader has gone away without closing.
type hangingHandler struct {
	slog.Handler
	release chan struct{}
}

func (h hangingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h hangingHandler) Handle(context.Context, slog.Record) error {
	<-h.release
	return nil
}

func TestALogThatHangsHoldsNothingUp(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		release := make(chan struct{})
		defer close(release)
		g.Logger = slog.New(hangingHandler{slog.DiscardHandler, release})
		g.Timeout = 2 * time.Second
		for range 50 { // the waits for the log don't add up
			require.NoError(t, g.Add("panics", Func(func(context.Context) error { panic(1) })))
		}
		require.NoError(t, g.Add("hangs", newStuck(t)))
		require.NoError(t, g.Go("deaf", newStuck(t).work))
		require.NoError(t, g.Go("panics", func(context.Context) error { panic(1) }))
		began := time.Now()
		require.Error(t, g.Shutdown(bg))
		assert.LessOrEqual(t, time.Since(began), g.Timeout+2*late)
	})
}

func TestTrace(t *testing.T) {
	if trace.IsEnabled() {
		t.Skip("the test is itself being traced, and there is one trace at a time")
	}
	var b bytes.Buffer
	require.NoError(t, trace.Start(&b))
	var g Group
	require.NoError(t, g.Add("zmq", Func(func(context.Context) error { return nil })))
	require.NoError(t, g.Shutdown(bg))
	trace.Stop()
	for _, name := range []string{"shutdown", "workers", "step zmq"} {
		assert.Contains(t, b.String(), name)
	}
}
