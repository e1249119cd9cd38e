package shutdown

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSilenceWhileNothingIsWrong(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log logs
		g.Logger = slog.New(&log)
		require.NoError(t, g.Add("zmq", Func(func(context.Context) error { time.Sleep(time.Second); return nil })))
		require.NoError(t, g.Go("worker", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Second); return nil }))
		g.Stop()
		require.NoError(t, g.Run(bg))
		time.Sleep(time.Hour)
		assert.Empty(t, log.all())
	})
}

func waitsInHere(c <-chan struct{}) { <-c }

// waiting checks a warning, and returns the places that it names.
func (r record) waiting(t *testing.T, kind string, names []string, since, timeout time.Duration) []string {
	t.Helper()
	assert.Equal(t, slog.LevelWarn, r.level)
	assert.Equal(t, "shutdown: still waiting", r.message)
	places, _ := r.attrs["at"].([]string)
	assert.Equal(t, map[string]any{"kind": kind, "names": names, "since": since, "timeout": timeout, "at": places}, r.attrs)
	for _, place := range places {
		assert.Regexp(t, `^github\.com/zmqsafe/zmq-exit/shutdown\.waitsInHere \S+/shutdown/warning_test\.go:\d+ < `, place)
		for _, between := range []string{"(*Group)", "(*takedown)", "shutdown.wait[", "shutdown.protect", "runtime/"} {
			assert.NotContains(t, place, between)
		}
	}
	return places
}

func TestWarningsWhileItIsWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log logs
		g.Logger = slog.New(&log)
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
		assert.Empty(t, log.all())

		time.Sleep(time.Nanosecond) // half of the grace
		synctest.Wait()
		require.Len(t, log.all(), 1)
		places := log.all()[0].waiting(t, kindWorker, []string{"pull (2)", "feed"}, 2*time.Second, 4*time.Second)
		assert.Len(t, places, 2)

		time.Sleep(4*time.Second - time.Nanosecond) // to half of the step
		synctest.Wait()
		assert.Len(t, log.all(), 1)
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, log.all(), 2)
		assert.Len(t, log.all()[1].waiting(t, kindStep, []string{"zmq"}, 2*time.Second, 4*time.Second), 1)
		time.Sleep(time.Minute)
		assert.Len(t, log.all(), 2)
	})
}

// It leaves out the functions by which one group waits for the other.
func TestAWarningNamesThePlaceInAGroupInside(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log logs
		g.Logger = slog.New(&log)
		release := make(chan struct{})
		defer close(release)
		inner := Group{Logger: quiet()}
		require.NoError(t, inner.AddCloser("zmq", closer(func() error { waitsInHere(release); return nil })))
		require.NoError(t, g.Go("inner", inner.Run))
		g.Stop()
		require.Error(t, g.Run(bg))
		require.Len(t, log.all(), 1)
		assert.Len(t, log.all()[0].waiting(t, kindWorker, []string{"inner"}, 2*time.Second, 4*time.Second), 1)
	})
}
