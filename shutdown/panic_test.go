package shutdown

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPanics(t *testing.T) {
	panics := func() error { panic(io.ErrUnexpectedEOF) }
	tests := map[string]struct {
		add  func(g *Group)
		kind string
		want string
	}{
		"worker": {
			func(g *Group) { _ = g.Go("p", func(context.Context) error { return panics() }) },
			kindWorker, `shutdown: worker "p": panic: unexpected EOF [`,
		},
		"step": {
			func(g *Group) { _ = g.Add("p", Func(func(context.Context) error { return panics() })); g.Stop() },
			kindStep, `shutdown: step "p": panic: unexpected EOF [`,
		},
		"closer": {
			func(g *Group) { _ = g.AddCloser("p", closer(panics)); g.Stop() },
			kindStep, `shutdown: step "p": panic: unexpected EOF [`,
		},
		"serve": {
			func(g *Group) { _ = g.Serve("p", panics, Func(func(context.Context) error { return nil })) },
			kindWorker, `shutdown: worker "p": panic: unexpected EOF [`,
		},
		"serve, after the stop began": {
			func(g *Group) {
				_ = g.Serve("p", func() error { <-g.Context().Done(); return panics() }, Func(func(context.Context) error { return nil }))
				g.Stop()
			},
			kindWorker, `shutdown: worker "p": panic: unexpected EOF [`,
		},
		"Shutdown of a server": {
			func(g *Group) {
				_ = g.Serve("p", func() error { <-g.Context().Done(); return nil }, Func(func(context.Context) error { return panics() }))
				g.Stop()
			},
			kindWorker, `shutdown: worker "p": Shutdown: panic: unexpected EOF [`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				var log logs
				g.Logger = slog.New(&log)
				var j journal
				require.NoError(t, g.Add("first", j.step("first")))
				tt.add(g)
				err := g.Run(bg)
				assert.Equal(t, []string{"first"}, j.all())
				assert.ErrorContains(t, err, tt.want)
				assert.ErrorContains(t, err, "shutdown.TestPanics.func1 at ")
				assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
				assert.Equal(t, StatusPanic, ExitStatus(err))
				var p *PanicError
				require.ErrorAs(t, err, &p)
				assert.Equal(t, io.ErrUnexpectedEOF, p.Value)
				assert.Contains(t, string(p.Stack), "panic_test.go")
				r := g.Report()
				states := map[State]bool{}
				for _, e := range append(r.Workers, r.Steps...) {
					states[e.State] = true
				}
				assert.True(t, states[Panicked])
				lines := log.panics(t)
				require.Len(t, lines, 1)
				assert.Equal(t, tt.kind, lines[0].attrs["kind"])
				assert.Equal(t, "p", lines[0].attrs["name"])
				assert.Equal(t, "unexpected EOF", lines[0].attrs["panic"])
				assert.Equal(t, string(p.Stack), lines[0].attrs["stack"])
			})
		})
	}
}

func TestAPanicIsLoggedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log logs
		g.Logger = slog.New(&log)
		inner := Group{Logger: g.Logger}
		require.NoError(t, inner.Go("p", func(context.Context) error { panic("boom") }))
		require.NoError(t, g.Go("inner", inner.Run))
		err := g.Run(bg)
		assert.ErrorContains(t, err, `shutdown: worker "inner": shutdown: worker "p": panic: boom [`)
		assert.Len(t, log.all(), 1)
	})
}

func TestAPanicWithoutAPlace(t *testing.T) {
	assert.EqualError(t, &PanicError{Value: 7}, "panic: 7")
	assert.NoError(t, (&PanicError{Value: 7}).Unwrap())
}

func TestARuntimePanicNamesTheProgramsOwnLine(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var m map[string]int
		require.NoError(t, g.Go("p", func(context.Context) error { m["a"] = 1; return nil }))
		err := g.Run(bg)
		assert.ErrorContains(t, err, "assignment to entry in nil map [github.com/zmqsafe/zmq-exit/shutdown.TestARuntimePanic")
	})
}

// brokenError is an error whose Is panics.
type brokenError struct{}

func (brokenError) Error() string { return "broken" }

func (brokenError) Is(error) bool { panic("boom") }

// wordlessError is one whose Error panics.
type wordlessError struct{}

func (wordlessError) Error() string { panic("Error") }

// Returning a nil pointer as an error is a well-known mistake. Everything must
// be closed anyway.
func TestAnErrorThatCantBeLookedAtIsAPanic(t *testing.T) {
	for want, err := range map[string]error{
		"panic: runtime error: invalid memory address": (*fs.PathError)(nil),
		"panic: boom [":  brokenError{},
		"panic: Error [": wordlessError{},
	} {
		inBubble(t, func(t *testing.T, g *Group) {
			var j journal
			require.NoError(t, g.Add("first", j.step("first")))
			require.NoError(t, g.Add("step", Func(func(context.Context) error { return err })))
			require.NoError(t, g.Serve("server", func() error { <-g.Context().Done(); return nil }, Func(func(context.Context) error { return err })))
			require.NoError(t, g.Go("worker", func(context.Context) error { return err }))
			result := g.Run(bg)
			for _, of := range []string{`worker "server": Shutdown: `, `worker "worker": `, `step "step": `} {
				assert.ErrorContains(t, result, of+want)
			}
			assert.Equal(t, StatusPanic, ExitStatus(result))
			assert.Contains(t, g.Report().String(), want)
			assert.Equal(t, []string{"first"}, j.all())
		})
	}
}

func TestGoexit(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		all := make(chan struct{}) // closed when all are there
		goexit := func() error { <-all; runtime.Goexit(); return nil }
		var j journal
		require.NoError(t, g.Add("first", j.step("first")))
		require.NoError(t, g.Add("step", Func(func(context.Context) error { return goexit() })))
		require.NoError(t, g.Serve("serve", goexit, Func(func(context.Context) error { return nil })))
		require.NoError(t, g.Serve("server", func() error { <-g.Context().Done(); return nil }, Func(func(context.Context) error { return goexit() })))
		require.NoError(t, g.Go("worker", func(context.Context) error { return goexit() }))
		close(all)
		began := time.Now()
		err := g.Run(bg)
		for _, name := range []string{`step "step"`, `worker "serve"`, `worker "server": Shutdown`, `worker "worker"`} {
			assert.ErrorContains(t, err, name+": ended by runtime.Goexit")
		}
		assert.Equal(t, StatusError, ExitStatus(err))
		assert.Equal(t, []string{"first"}, j.all())
		assert.Zero(t, time.Since(began))
	})
}

// A panic is known when it happens, and not when the Logger has the line. So it
// counts however little time was left, and costs none.
func TestAPanicCountsThoughTheLoggerHangs(t *testing.T) {
	const late = 50 * time.Millisecond // less than the Logger is waited for
	panicsAt := func(at time.Duration) func(context.Context) error {
		return func(context.Context) error { time.Sleep(at); panic("boom") }
	}
	untilAsked := func(g *Group) func() error { return func() error { <-g.Context().Done(); return nil } }
	nothing := Func(func(context.Context) error { return nil })
	tests := map[string]func(g, inner *Group){
		"a step with little time": func(g, _ *Group) { _ = g.Add("p", Func(panicsAt(0)), Within(late)) },
		"the last step, at the end of the time": func(g, _ *Group) {
			_ = g.Add("p", Func(panicsAt(g.Timeout-late)))
		},
		"a step that was left behind": func(g, _ *Group) {
			_ = g.Add("slow", Func(panicsAt(0)))
			_ = g.Add("slow", Func(func(context.Context) error { time.Sleep(late); return nil }))
			_ = g.Add("p", Func(panicsAt(late)), Within(late/2))
		},
		"a worker at the end of its grace": func(g, _ *Group) { _ = g.Go("p", panicsAt(g.Timeout/2-late)) },
		"a worker at the end of the time":  func(g, _ *Group) { _ = g.Go("p", panicsAt(g.Timeout-late)) },
		"serve":                            func(g, _ *Group) { _ = g.Serve("p", func() error { panic("boom") }, nothing) },
		"serve, at the end of the time": func(g, _ *Group) {
			_ = g.Serve("p", func() error { return panicsAt(g.Timeout - late)(bg) }, nothing)
		},
		"the Shutdown of a server": func(g, _ *Group) { _ = g.Serve("p", untilAsked(g), Func(panicsAt(g.Timeout-late))) },
		"a step of a group inside": func(g, inner *Group) {
			_ = inner.Add("p", Func(panicsAt(0)))
			_ = g.Add("inner", inner, Within(late))
		},
		"a worker of a group inside": func(g, inner *Group) {
			_ = inner.Go("p", panicsAt(0))
			_ = g.Go("inner", inner.Run)
		},
	}
	for name, add := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				release := make(chan struct{})
				defer close(release)
				g.Timeout = 2 * time.Second
				g.Logger = slog.New(hangingHandler{slog.DiscardHandler, release})
				add(g, &Group{Logger: g.Logger})
				began := time.Now()
				err := g.Shutdown(bg)
				assert.Equal(t, StatusPanic, ExitStatus(err), "%v", err)
				assert.LessOrEqual(t, time.Since(began), g.Timeout+overtime)
			})
		})
	}
}

// No line is lost though nobody waits for it when it is written.
func TestTheEndOfAStopWaitsForItsLines(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		slow := &logs{before: func() { time.Sleep(overtime / 4) }}
		g.Logger = slog.New(slow)
		inner := &Group{Logger: g.Logger}
		require.NoError(t, inner.Add("p", Func(func(context.Context) error { panic("inner") })))
		require.NoError(t, g.Add("inner", inner))
		require.NoError(t, g.Add("p", Func(func(context.Context) error { panic("outer") })))
		began := time.Now()
		require.Error(t, g.Shutdown(bg))
		assert.Len(t, slow.panics(t), 2)
		assert.Equal(t, overtime/2, time.Since(began))
	})
}

func TestAStepThatPanicsAfterItWasLeftBehindIsLogged(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log logs
		g.Logger = slog.New(&log)
		require.NoError(t, g.Add("late", Func(func(context.Context) error { time.Sleep(time.Hour); panic("boom") })))
		require.Error(t, g.Shutdown(bg))
		assert.Empty(t, log.panics(t))
		time.Sleep(time.Hour)
		synctest.Wait()
		lines := log.panics(t)
		require.Len(t, lines, 1)
		assert.Equal(t, kindStep, lines[0].attrs["kind"])
		assert.Equal(t, "late", lines[0].attrs["name"])
		assert.Equal(t, "boom", lines[0].attrs["panic"])
	})
}
