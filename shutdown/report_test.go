package shutdown

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exampleReport returns the report of a stop in which all kinds of things
// happen.
func exampleReport(t *testing.T, g *Group) Report {
	require.NoError(t, g.Add("zmq", Func(func(context.Context) error {
		time.Sleep(120 * time.Millisecond)
		return errors.New("PUSH at main.go:42 lingers\nPUB at main.go:43 lingers")
	})))
	require.NoError(t, g.Add("cache", newStuck(t)))
	require.NoError(t, g.Add("db\n", Func(func(context.Context) error { time.Sleep(1234 * time.Microsecond); return nil })))
	require.NoError(t, g.Go("done before", func(context.Context) error { return nil }))
	synctest.Wait()
	require.NoError(t, g.Go("http", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Second); return ctx.Err() }))
	require.NoError(t, g.Go("feed", func(ctx context.Context) error { <-ctx.Done(); return io.ErrUnexpectedEOF }))
	require.NoError(t, g.Go("late", func(ctx context.Context) error {
		<-ctx.Done()
		time.Sleep(6500 * time.Millisecond)
		return io.ErrUnexpectedEOF
	}))
	require.NoError(t, g.Go("deaf", newStuck(t).work))
	require.Error(t, g.Shutdown(bg))
	return g.Report()
}

func TestReportAsText(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		assert.Equal(t, `shutdown: stopped in 8s of 8s: Shutdown was called
  workers that had returned before: 1
  worker  http    1s     of 4s     done
  worker  feed    0s     of 4s     failed: unexpected EOF
  worker  late    6.5s   of 4s     late: unexpected EOF
  worker  deaf    8s     of 4s     still running
  step    "db\n"  1.2ms  of 1.33s  done
  step    cache   2s     of 2s     still running
  step    zmq     120ms  of 2s     failed: PUSH at main.go:42 lingers; PUB at main.go:43 lingers`, exampleReport(t, g).String())
	})
}

func TestReportAsJSON(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		text, err := json.Marshal(exampleReport(t, g))
		require.NoError(t, err)
		assert.JSONEq(t, `{
			"cause": "shutdown: Shutdown was called", "began": "2000-01-01T00:00:00Z",
			"took": "8s", "timeout": "8s", "over": true, "returned": 1,
			"workers": [
				{"name": "http", "state": "done", "took": "1s", "timeout": "4s"},
				{"name": "feed", "state": "failed", "took": "0s", "timeout": "4s", "error": "shutdown: worker \"feed\": unexpected EOF"},
				{"name": "late", "state": "late", "took": "6.5s", "timeout": "4s",
					"error": "shutdown: worker \"late\": returned only 6.5s after the stop began, with a grace of 4s: unexpected EOF"},
				{"name": "deaf", "state": "still running", "took": "8s", "timeout": "4s",
					"error": "shutdown: worker \"deaf\": still running 8s after the stop began, with a grace of 4s"}
			],
			"steps": [
				{"name": "db\n", "state": "done", "took": "1.234ms", "timeout": "1.333333333s"},
				{"name": "cache", "state": "still running", "took": "1.999383s", "timeout": "1.999383s",
					"error": "shutdown: step \"cache\": not done after 2s: left behind"},
				{"name": "zmq", "state": "failed", "took": "120ms", "timeout": "1.999383s",
					"error": "shutdown: step \"zmq\": PUSH at main.go:42 lingers\nPUB at main.go:43 lingers"}
			]
		}`, string(text))
		text, err = json.Marshal(new(Group).Report())
		require.NoError(t, err)
		assert.JSONEq(t, `{"took": "0s", "timeout": "0s", "over": false, "returned": 0, "workers": [], "steps": []}`, string(text))
	})
}

func TestReportInALog(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		r := exampleReport(t, g)
		r.Steps = append(r.Steps[1:], r.Steps[1]) // two of one name
		logger.Info("stopped", "shutdown", r)
		_, line, _ := strings.Cut(log.String(), " ") // without the time
		assert.Equal(t, `level=INFO msg=stopped shutdown.took=8s shutdown.timeout=8s shutdown.over=true`+
			` shutdown.cause="shutdown: Shutdown was called" shutdown.done=2`+
			` shutdown.workers.feed="0s, failed: unexpected EOF" shutdown.workers.late="6.5s, late: unexpected EOF"`+
			` shutdown.workers.deaf="8s, still running"`+
			` shutdown.steps.cache="2s, still running"`+
			` shutdown.steps.zmq="120ms, failed: PUSH at main.go:42 lingers; PUB at main.go:43 lingers"`+
			` "shutdown.steps.cache (2)"="2s, still running"`+"\n", line)
	})
}

func TestReportOnTheWay(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		next := make(chan struct{})
		wait := Func(func(context.Context) error { <-next; return nil })
		assert.Equal(t, "shutdown: running", g.Report().String())
		require.NoError(t, g.Add("zmq", wait))
		require.NoError(t, g.Add("db", wait))
		require.NoError(t, g.Go("feed", func(context.Context) error { <-next; return nil }))
		assert.Equal(t, `shutdown: running
  worker  feed      running
  step    db        waiting
  step    zmq       waiting`, g.Report().String())
		g.Stop()
		assert.Equal(t, "shutdown: about to stop: Stop was called\n", g.Report().String()[:41])
		go func() { _ = g.Shutdown(bg) }()
		time.Sleep(time.Second)
		assert.Equal(t, `shutdown: stopping for 1s of 8s: Stop was called
  worker  feed  1s  of 4s  running
  step    db               waiting
  step    zmq              waiting`, g.Report().String())
		next <- struct{}{}
		time.Sleep(time.Second)
		assert.Equal(t, `shutdown: stopping for 2s of 8s: Stop was called
  worker  feed  1s  of 4s    done
  step    db    1s  of 3.5s  running
  step    zmq                waiting`, g.Report().String())
		close(next)
		synctest.Wait()
	})
}

func TestShortDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{
		12345678 * time.Microsecond: "12.3s",
		1234567 * time.Microsecond:  "1.23s",
		12345 * time.Microsecond:    "12.3ms",
		1234 * time.Nanosecond:      "1µs",
	} {
		assert.Equal(t, want, short(d).String())
	}
}

func TestTheReportIsLoggedForDebugging(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		log := logs{level: slog.LevelDebug}
		g.Logger = slog.New(&log)
		require.NoError(t, g.Shutdown(bg))
		lines := log.all()
		require.Len(t, lines, 1)
		assert.Equal(t, slog.LevelDebug, lines[0].level)
		assert.Equal(t, "shutdown: report", lines[0].message)
		assert.Equal(t, g.Report().LogValue().Group(), lines[0].attrs["report"])
		assert.True(t, g.Report().Over)
	})
}
