package shutdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatWorkersReturnAfterTheStopBegan(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name    string
		f       func(ctx context.Context) error
		isError bool
	}{
		{"nil", func(context.Context) error { return nil }, false},
		{"ctx.Err()", func(ctx context.Context) error { return ctx.Err() }, false},
		{"ctx.Err() wrapped", func(ctx context.Context) error { return fmt.Errorf("recv: %w", ctx.Err()) }, false},
		{"the cause", func(ctx context.Context) error { return context.Cause(ctx) }, false},
		{"the cause and Canceled", func(ctx context.Context) error { return errors.Join(context.Cause(ctx), ctx.Err()) }, false},
		{"ErrStopped", func(context.Context) error { return ErrStopped }, false},
		{"a real error", func(context.Context) error { return boom }, true},
		{"a real error and Canceled", func(ctx context.Context) error { return errors.Join(ctx.Err(), boom) }, true},
		{"DeadlineExceeded", func(context.Context) error { return context.DeadlineExceeded }, true},
		{"a panic with Canceled", func(ctx context.Context) error { panic(ctx.Err()) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				require.NoError(t, g.Go("feed", func(ctx context.Context) error {
					<-ctx.Done()
					return tt.f(ctx)
				}))
				g.Stop()
				err := g.Run(bg)
				assert.Equal(t, tt.isError, err != nil, "%v", err)
			})
		})
	}
}

func TestCanceledIsAnErrorBeforeTheStop(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("feed", func(context.Context) error { return context.Canceled }))
		assert.EqualError(t, g.Run(bg), `shutdown: worker "feed": context canceled`)
	})
}

func TestAllErrorsAreJoined(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Add("db", Func(func(context.Context) error { return io.ErrClosedPipe })))
		require.NoError(t, g.Go("other", func(ctx context.Context) error { <-ctx.Done(); return io.ErrShortWrite }))
		require.NoError(t, g.Go("feed", func(context.Context) error { return io.ErrUnexpectedEOF }))
		err := g.Run(bg)
		assert.EqualError(t, err, `shutdown: worker "feed": unexpected EOF
shutdown: worker "other": short write
shutdown: step "db": io: read/write on closed pipe`)
		var first *Error
		require.ErrorAs(t, err, &first)
		assert.Equal(t, Error{"worker", "feed", io.ErrUnexpectedEOF}, *first)
		assert.Equal(t, StatusError, ExitStatus(err))
	})
}

func TestPanics(t *testing.T) {
	panics := func() error { panic(io.ErrUnexpectedEOF) }
	tests := map[string]struct {
		add  func(g *Group)
		want string
	}{
		"worker": {
			func(g *Group) { _ = g.Go("p", func(context.Context) error { return panics() }) },
			`shutdown: worker "p": panic: unexpected EOF [`,
		},
		"step": {
			func(g *Group) { _ = g.Add("p", Func(func(context.Context) error { return panics() })); g.Stop() },
			`shutdown: step "p": panic: unexpected EOF [`,
		},
		"closer": {
			func(g *Group) { _ = g.AddCloser("p", closer(panics)); g.Stop() },
			`shutdown: step "p": panic: unexpected EOF [`,
		},
		"serve": {
			func(g *Group) { _ = g.Serve("p", panics, Func(func(context.Context) error { return nil })) },
			`shutdown: worker "p": panic: unexpected EOF [`,
		},
		"serve, after the stop began": {
			func(g *Group) {
				_ = g.Serve("p", func() error { <-g.Context().Done(); return panics() }, Func(func(context.Context) error { return nil }))
				g.Stop()
			},
			`shutdown: worker "p": panic: unexpected EOF [`,
		},
		"Shutdown of a server": {
			func(g *Group) {
				_ = g.Serve("p", func() error { <-g.Context().Done(); return nil }, Func(func(context.Context) error { return panics() }))
				g.Stop()
			},
			`shutdown: worker "p": Shutdown: panic: unexpected EOF [`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				var log syncBuffer
				g.Logger = toLog(&log)
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
				assert.Contains(t, string(p.Stack), "worker_test.go")
				r := g.Report()
				states := map[State]bool{}
				for _, e := range append(r.Workers, r.Steps...) {
					states[e.State] = true
				}
				assert.True(t, states[Panicked])
				assert.Contains(t, log.String(), "level=ERROR")
				assert.Contains(t, log.String(), "worker_test.go") // of the stack
			})
		})
	}
}

func TestAPanicIsLoggedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var log syncBuffer
		g.Logger = toLog(&log)
		inner := Group{Logger: g.Logger}
		require.NoError(t, inner.Go("p", func(context.Context) error { panic("boom") }))
		require.NoError(t, g.Go("inner", inner.Run))
		err := g.Run(bg)
		assert.ErrorContains(t, err, `shutdown: worker "inner": shutdown: worker "p": panic: boom [`)
		assert.Equal(t, 1, countLines(log.String()), log.String())
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

// brokenError is an error that can't be asked what it is.
type brokenError struct{}

func (brokenError) Error() string { return "broken" }
func (brokenError) Is(error) bool { panic("boom") }

// wordlessError is one that can't be printed.
type wordlessError struct{}

func (wordlessError) Error() string { panic("Error") }

// To return a nil pointer for nil is a well-known mistake, and no reason to close nothing.
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
		all := make(chan struct{}) // are there
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

func TestWorkersStartWorkers(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("accepts", func(context.Context) error {
			for range 100 {
				if err := g.Go("connection", func(context.Context) error { time.Sleep(time.Second); return nil }); err != nil {
					return err
				}
			}
			return nil
		}))
		require.NoError(t, g.Run(bg))
		synctest.Wait()
		r := g.Report()
		assert.Equal(t, 101, r.Returned)
		assert.Empty(t, r.Workers)
	})
}

func countLines(s string) (n int) {
	for _, c := range s {
		if c == '\n' {
			n++
		}
	}
	return n
}
