package shutdown

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadCalls(t *testing.T) {
	nothing := Func(func(context.Context) error { return nil })
	serve := func() error { return nil }
	tests := []struct {
		call func(g *Group) error
		want string
	}{
		{func(g *Group) error { return g.Go("", untilDone) }, "a worker has no name: errors and logs need one"},
		{func(g *Group) error { return g.Go("w", nil) }, `worker "w": the function is nil`},
		{func(g *Group) error { return g.Add("", nothing) }, "a step has no name: errors and logs need one"},
		{func(g *Group) error { return g.Add("s", nil) }, `step "s": the Shutdowner is nil`},
		{func(g *Group) error { return g.Add("s", Func(nil)) }, `step "s": the Shutdowner is nil`},
		{func(g *Group) error { return g.Add("s", (*server)(nil)) }, `step "s": the Shutdowner is nil`},
		{func(g *Group) error { return g.AddCloser("s", nil) }, `step "s": the io.Closer is nil`},
		{func(g *Group) error { return g.AddCloser("s", (*os.File)(nil)) }, `step "s": the io.Closer is nil`},
		{func(g *Group) error { return g.AddCloser("", os.Stdin) }, "a step has no name: errors and logs need one"},
		{func(g *Group) error { return g.Serve("", serve, nothing) }, "a worker has no name: errors and logs need one"},
		{func(g *Group) error { return g.Serve("w", nil, nothing) }, `worker "w": the function is nil`},
		{func(g *Group) error { return g.Serve("w", serve, nil) }, `worker "w": the Shutdowner is nil`},
		{func(g *Group) error { return g.Add("s", nothing, nil) }, `step "s": an option is nil`},
		{func(g *Group) error { return g.Add("s", nothing, Within(0)) }, `step "s": Within(0s): want a positive duration`},
		{func(g *Group) error { return g.Add("s", nothing, Within(-time.Second)) }, `step "s": Within(-1s): want a positive duration`},
		{func(g *Group) error { return g.Add("s", g) }, `step "s": a group can't be part of itself`},
		{func(g *Group) error {
			inner := new(Group)
			_ = inner.Add("g", nothing)
			_ = g.Add("inner", inner)
			return inner.Add("s", g)
		}, `step "s": a group can't be part of itself`},
		{func(g *Group) error {
			inner := new(Group)
			_ = new(Group).Add("inner", inner)
			return g.Add("s", inner)
		}, `step "s": the group is already part of another group`},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				var j journal
				require.NoError(t, g.Add("zmq", j.step("zmq")))
				require.NoError(t, g.Go("worker", untilDone))
				err := tt.call(g)
				require.EqualError(t, err, "shutdown: "+tt.want)
				if context.Cause(g.Context()) != nil { // else the mistake was in another group
					assert.Equal(t, err, context.Cause(g.Context()))
					assert.ErrorIs(t, g.Run(bg), err) // at once
				}
				require.LessOrEqual(t, ExitStatus(g.Shutdown(bg)), StatusError)
				assert.Equal(t, []string{"zmq"}, j.all())
			})
		})
	}
}

func TestBadFields(t *testing.T) {
	tests := []struct {
		group *Group
		want  string
	}{
		{&Group{Timeout: -1}, "shutdown: Group.Timeout is -1ns: want a positive duration, or 0 for the default"},
		{&Group{Grace: -time.Second}, "shutdown: Group.Grace is -1s: want a positive duration, or 0 for the default"},
		{&Group{StepTimeout: -1}, "shutdown: Group.StepTimeout is -1ns: want a positive duration, or 0 for the default"},
		{&Group{Grace: 8 * time.Second}, "shutdown: Group.Grace is 8s: want less than Timeout (8s), to leave time for closing"},
		{&Group{Timeout: 2 * time.Second, Grace: 3 * time.Second}, "shutdown: Group.Grace is 3s: want less than Timeout (2s), to leave time for closing"},
		{
			&Group{Signals: []os.Signal{os.Kill}},
			"shutdown: Group.Signals has killed: no program can catch it: want one such as os.Interrupt, syscall.SIGTERM or syscall.SIGHUP",
		},
		{&Group{Signals: []os.Signal{nil}}, "shutdown: Group.Signals has a nil signal"},
		{
			&Group{Timeout: -1, StepTimeout: -1, Signals: []os.Signal{nil}},
			"shutdown: Group.Timeout is -1ns: want a positive duration, or 0 for the default\n" +
				"shutdown: Group.StepTimeout is -1ns: want a positive duration, or 0 for the default\n" +
				"shutdown: Group.Signals has a nil signal",
		},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			inBubble(t, func(t *testing.T, _ *Group) {
				g := tt.group
				if g.Signals == nil {
					g.Signals = noSignals
				}
				var j journal
				require.NoError(t, g.Add("zmq", j.step("zmq")))
				require.NoError(t, g.Go("worker", untilDone))
				assert.EqualError(t, g.Run(bg), tt.want) // at once
				assert.Equal(t, []string{"zmq"}, j.all())
			})
		})
	}
}

func TestFieldsAreRead(t *testing.T) {
	s, err := (&Group{}).readFields()
	require.NoError(t, err)
	assert.Equal(t, &settings{8 * time.Second, 4 * time.Second, 0, []os.Signal{syscall.SIGINT, syscall.SIGTERM}, false}, s)
	s, err = (&Group{Timeout: 3 * time.Second, Signals: []os.Signal{syscall.SIGHUP}}).readFields()
	require.NoError(t, err)
	assert.Equal(t, &settings{3 * time.Second, 1500 * time.Millisecond, 0, []os.Signal{syscall.SIGHUP}, false}, s)
	s, err = (&Group{Timeout: 3 * time.Second, Grace: 2 * time.Second, StepTimeout: time.Second, Signals: noSignals}).readFields()
	require.NoError(t, err)
	assert.Equal(t, &settings{3 * time.Second, 2 * time.Second, time.Second, nil, false}, s)
}

// panickingHandler is a handler with a bug.
type panickingHandler struct{ slog.Handler }

func (panickingHandler) Enabled(context.Context, slog.Level) bool { return true }

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

// hangingHandler is a handler whose output nobody reads.
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
		assert.LessOrEqual(t, time.Since(began), g.Timeout+2*overtime)
	})
	inBubble(t, func(t *testing.T, g *Group) { // and cost no more than one line
		release := make(chan struct{})
		defer close(release)
		g.Logger = slog.New(hangingHandler{slog.DiscardHandler, release})
		inner := &Group{Logger: g.Logger}
		require.NoError(t, g.Add("inner", inner))
		for range 50 {
			require.NoError(t, inner.Add("panics", Func(func(context.Context) error { panic(1) })))
		}
		began := time.Now()
		require.Error(t, g.Shutdown(bg))
		assert.Equal(t, overtime, time.Since(began))
	})
}

// countedCloser counts how often it is closed.
type countedCloser struct {
	closed  atomic.Int32
	running *atomic.Int32 // workers
	early   *atomic.Int32 // counts closings with workers running
}

func (c *countedCloser) Shutdown(context.Context) error {
	c.closed.Add(1)
	if c.running.Load() > 0 {
		c.early.Add(1)
	}
	return nil
}

// However calls race with the stop, each thing that was added is closed once,
// when every worker has returned.
func TestCallsRaceWithTheStop(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	for range rounds {
		g := Group{Signals: noSignals, Logger: quiet(), Timeout: limit}
		var running, early atomic.Int32
		var all sync.Map
		var added atomic.Int32
		work := func(ctx context.Context) error {
			running.Add(1)
			defer running.Add(-1)
			<-ctx.Done()
			return ctx.Err()
		}
		require.NoError(t, g.Go("first", work))
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				for g.Context().Err() == nil || rand.IntN(4) > 0 {
					name := fmt.Sprint(added.Add(1))
					switch rand.IntN(6) {
					case 0:
						_ = g.Go(name, work)
					case 1, 2:
						c := &countedCloser{running: &running, early: &early}
						all.Store(c, true)
						_ = g.Add(name, c)
					case 3:
						down := make(chan struct{})
						_ = g.Serve(name, func() error { <-down; return nil }, Func(func(context.Context) error { close(down); return nil }))
					case 4:
						_ = g.Report().String()
					case 5:
						if rand.IntN(20) == 0 {
							g.Stop()
						}
					}
				}
			})
		}
		if rand.IntN(2) == 0 {
			callers.Go(func() { assert.NoError(t, g.Shutdown(bg)) })
		}
		bounded(t, "Run", func() { assert.NoError(t, g.Run(bg)) })
		bounded(t, "the callers", callers.Wait)
		all.Range(func(c, _ any) bool {
			return assert.Equal(t, int32(1), c.(*countedCloser).closed.Load())
		})
		assert.Zero(t, early.Load())
		r := g.Report()
		assert.True(t, r.Over)
		for _, e := range r.Workers {
			assert.Equal(t, Done, e.State)
		}
	}
}
