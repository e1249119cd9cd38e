package shutdown

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/trace"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStepsCloseInReverseOrderAfterAllWorkers(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var j journal
		require.NoError(t, g.Add("first", j.step("first")))
		require.NoError(t, g.Go("slow", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			j.add("slow is out")
			return ctx.Err()
		}))
		require.NoError(t, g.AddCloser("second", closer(func() error { j.add("second"); return nil })))
		require.NoError(t, g.Go("quick", func(ctx context.Context) error {
			<-ctx.Done()
			j.add("quick is out")
			return nil
		}))
		require.NoError(t, g.Add("third", j.step("third")))
		time.AfterFunc(time.Minute, g.Stop)

		began := time.Now()
		require.NoError(t, g.Run(bg))
		assert.Equal(t, []string{"quick is out", "slow is out", "third", "second", "first"}, j.all())
		assert.Equal(t, time.Minute+time.Second, time.Since(began))
	})
}

func TestAStepThatHangsLeavesTimeForTheOthers(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var j journal
		hangs := newStuck(t)
		require.NoError(t, g.Add("last", j.step("last")))
		require.NoError(t, g.Add("hangs", hangs))
		require.NoError(t, g.Add("first", j.step("first")))
		began := time.Now()
		err := g.Shutdown(bg)
		assert.EqualError(t, err, `shutdown: step "hangs": not done after 4s: left behind`)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, StatusDeadline, ExitStatus(err))
		assert.Equal(t, []string{"first", "last"}, j.all())
		assert.Equal(t, 4*time.Second, time.Since(began)) // first used nothing: half of 8 s
	})
}

func TestShares(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name  string
		group *Group
		steps []StepOption    // in the order of closing; each of them hangs
		want  []time.Duration // how long each was waited for
	}{
		{"fair", &Group{Timeout: 6 * time.Second}, make([]StepOption, 3), []time.Duration{2000 * ms, 2000 * ms, 2000 * ms}},
		{"one", &Group{}, make([]StepOption, 1), []time.Duration{8000 * ms}},
		{
			"of many", &Group{}, make([]StepOption, 12),
			[]time.Duration{800 * ms, 720 * ms, 648 * ms, 648 * ms, 648 * ms, 648 * ms, 648 * ms, 648 * ms, 648 * ms, 648 * ms, 648 * ms, 648 * ms},
		},
		{"StepTimeout", &Group{StepTimeout: time.Second}, make([]StepOption, 2), []time.Duration{1000 * ms, 1000 * ms}},
		{
			"StepTimeout that is too long", &Group{StepTimeout: time.Hour},
			make([]StepOption, 3),
			[]time.Duration{7200 * ms, 720 * ms, 100 * ms},
		},
		{"Within", &Group{}, []StepOption{Within(6 * time.Second), nil, nil}, []time.Duration{6000 * ms, 1000 * ms, 1000 * ms}},
		{"Within, last", &Group{}, []StepOption{nil, Within(time.Second)}, []time.Duration{4000 * ms, 1000 * ms}},
		{
			"Within and StepTimeout", &Group{StepTimeout: time.Second},
			[]StepOption{Within(3 * time.Second), nil},
			[]time.Duration{3000 * ms, 1000 * ms},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				g.Timeout, g.StepTimeout = tt.group.Timeout, tt.group.StepTimeout
				for i := len(tt.steps) - 1; i >= 0; i-- {
					var options []StepOption
					if tt.steps[i] != nil {
						options = []StepOption{tt.steps[i]}
					}
					require.NoError(t, g.Add(fmt.Sprint(i), newStuck(t), options...))
				}
				require.Error(t, g.Shutdown(bg))
				var took []time.Duration
				for i, e := range g.Report().Steps {
					assert.Equal(t, fmt.Sprint(i), e.Name)
					assert.Equal(t, StillRunning, e.State)
					assert.Equal(t, e.Timeout, e.Took)
					took = append(took, e.Took)
				}
				require.Len(t, took, len(tt.want))
				for i, want := range tt.want {
					assert.InDelta(t, want, took[i], 10, "%d", i) // ns, of rounding
				}
			})
		})
	}
}

// The context of a step expires before the step is left behind, so it can
// return what it left undone.
func TestAStepHasTimeToSayWhatItLeftUndone(t *testing.T) {
	for timeout, margin := range map[time.Duration]time.Duration{
		8 * time.Second:        100 * time.Millisecond,
		500 * time.Millisecond: 50 * time.Millisecond,
	} {
		inBubble(t, func(t *testing.T, g *Group) {
			g.Timeout = timeout
			began := time.Now()
			require.NoError(t, g.Add("zmq", Func(func(ctx context.Context) error {
				deadline, ok := ctx.Deadline()
				assert.True(t, ok)
				assert.Equal(t, timeout-margin, deadline.Sub(began))
				<-ctx.Done()
				return fmt.Errorf("PUSH at main.go:42 still lingers: %w", ctx.Err())
			})))
			err := g.Shutdown(bg)
			assert.EqualError(t, err, `shutdown: step "zmq": PUSH at main.go:42 still lingers: context deadline exceeded`)
			assert.Equal(t, StatusDeadline, ExitStatus(err))
			assert.Equal(t, timeout-margin, time.Since(began))
			assert.Equal(t, Failed, g.Report().Steps[0].State)
		})
	}
}

func TestAWorkerThatOverrunsItsGrace(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		g.Grace = 3 * time.Second
		var j journal
		boom := errors.New("boom")
		require.NoError(t, g.Add("zmq", Func(func(context.Context) error {
			time.Sleep(time.Second)
			j.add("zmq")
			return nil
		})))
		require.NoError(t, g.Go("deaf", newStuck(t).work))
		require.NoError(t, g.Go("late", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(5 * time.Second)
			j.add("late")
			return nil
		}))
		require.NoError(t, g.Go("late and wrong", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(6 * time.Second)
			return boom
		}))
		require.NoError(t, g.Go("late and cancelled", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(6 * time.Second)
			return ctx.Err()
		}))
		began := time.Now()
		err := g.Shutdown(bg)
		assert.EqualError(t, err, `shutdown: worker "deaf": still running 8s after the stop began, with a grace of 3s
shutdown: worker "late": returned only 5s after the stop began, with a grace of 3s
shutdown: worker "late and wrong": returned only 6s after the stop began, with a grace of 3s: boom
shutdown: worker "late and cancelled": returned only 6s after the stop began, with a grace of 3s`)
		assert.ErrorIs(t, err, boom)
		assert.Equal(t, StatusDeadline, ExitStatus(err))
		assert.Equal(t, 8*time.Second, time.Since(began))
		assert.Equal(t, []string{"zmq", "late"}, j.all())
		var states []State
		for _, e := range g.Report().Workers {
			states = append(states, e.State)
		}
		assert.Equal(t, []State{StillRunning, Late, Late, Late}, states)
	})
}

func TestTheReportIsSettledWhenTheStopIsOver(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		release := make(chan struct{})
		require.NoError(t, g.Go("deaf", func(context.Context) error { <-release; return errors.New("boom") }))
		require.Error(t, g.Shutdown(bg))
		before := g.Report()
		close(release)
		synctest.Wait()
		time.Sleep(time.Second)
		assert.Equal(t, before, g.Report())
	})
}

func TestStepsThatAddStepsAreBounded(t *testing.T) {
	g := Group{Timeout: 100 * time.Millisecond, Logger: quiet()}
	var over atomic.Bool
	var again Func
	again = func(context.Context) error {
		if !over.Load() {
			_ = g.Add("again", again)
		}
		return nil
	}
	for range 8 {
		require.NoError(t, g.Add("again", again))
	}
	bounded(t, "Shutdown", func() { _ = g.Shutdown(bg) })
	over.Store(true)
}

// Whatever workers and steps do, a stop ends in time, and every step is called.
func TestAStopIsBounded(t *testing.T) {
	runs := 300
	if testing.Short() {
		runs = 30
	}
	for range runs {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		anyTime := func() time.Duration { return time.Duration(r.Int64N(int64(3 * time.Second))) }
		inBubble(t, func(t *testing.T, g *Group) {
			g.Timeout = anyTime() + 1
			if r.IntN(2) == 0 {
				g.Grace = time.Duration(r.Int64N(int64(g.Timeout)))
			}
			if r.IntN(2) == 0 {
				g.StepTimeout = anyTime()
			}
			steps := r.IntN(6)
			called := make(chan struct{}, 10)
			for i := range steps {
				d, obeys := anyTime(), r.IntN(2) == 0
				require.NoError(t, g.Add(fmt.Sprint(i), Func(func(ctx context.Context) error {
					called <- struct{}{}
					if !obeys {
						ctx = bg
					}
					select {
					case <-time.After(d):
					case <-ctx.Done():
					}
					return nil
				}), Within(anyTime()+1)))
			}
			for i := range r.IntN(6) {
				d := anyTime()
				require.NoError(t, g.Go(fmt.Sprint(i), func(ctx context.Context) error {
					<-ctx.Done()
					time.Sleep(d)
					return nil
				}))
			}
			began := time.Now()
			_ = g.Shutdown(bg)
			assert.LessOrEqual(t, time.Since(began), g.Timeout+overtime, "seed %d", seed)
			synctest.Wait()
			assert.Len(t, called, steps, "seed %d", seed)
			time.Sleep(time.Minute) // until all have returned
		})
	}
}

// 100 groups that hang at once don't make the stop longer.
func TestTheDeadlineHoldsUnderLoad(t *testing.T) {
	var groups sync.WaitGroup
	for range 100 {
		groups.Go(func() {
			g := Group{Signals: noSignals, Logger: quiet(), Timeout: 200 * time.Millisecond}
			for i := range 5 {
				_ = g.Add(fmt.Sprint(i), Func(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }))
			}
			began := time.Now()
			assert.Equal(t, StatusDeadline, ExitStatus(g.Shutdown(bg)))
			assert.Less(t, time.Since(began), 200*time.Millisecond+limit/4)
		})
	}
	groups.Wait()
}

// The program must not end before the goroutine of the last step has run.
func TestTheLastStepIsCalledHoweverBusyTheProgramIs(t *testing.T) {
	for range 20 { // output right before the end of a process may be lost
		if slices.Contains(start(t, "workers burn").end(t, StatusDeadline), "closed") {
			return
		}
	}
	t.Error("it wasn't called in any run")
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
