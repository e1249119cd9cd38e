package shutdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAGroupInAGroup(t *testing.T) {
	boom := errors.New("boom")
	for _, fails := range []error{nil, boom} {
		inBubble(t, func(t *testing.T, outer *Group) {
			var j journal
			inner := Group{Logger: quiet()} // its Signals have no effect
			require.NoError(t, outer.Add("zmq", j.step("outer zmq")))
			require.NoError(t, outer.Add("inner", &inner))
			require.NoError(t, outer.Add("db", j.step("outer db")))
			require.NoError(t, inner.Add("zmq", Func(func(context.Context) error { j.add("inner zmq"); return fails })))
			require.NoError(t, inner.Go("feed", func(ctx context.Context) error {
				<-ctx.Done()
				j.add("inner feed")
				return ctx.Err()
			}))
			err := outer.Shutdown(bg)
			assert.Equal(t, []string{"outer db", "inner feed", "inner zmq", "outer zmq"}, j.all())
			assert.ErrorIs(t, err, fails)
			if fails != nil {
				assert.EqualError(t, err, `shutdown: step "inner": shutdown: step "zmq": boom`)
			}
		})
	}
}

func TestRunIsAWorker(t *testing.T) {
	inBubble(t, func(t *testing.T, outer *Group) {
		var j journal
		var inner Group // it would catch signals if it weren't part of outer
		require.NoError(t, outer.Add("zmq", j.step("outer")))
		require.NoError(t, inner.Add("zmq", j.step("inner")))
		require.NoError(t, inner.Go("feed", untilDone))
		require.NoError(t, outer.Go("inner", inner.Run))
		time.AfterFunc(time.Second, outer.Stop)
		require.NoError(t, outer.Run(bg))
		assert.Equal(t, []string{"inner", "outer"}, j.all())
		assert.EqualError(t, inner.Report().Cause, "shutdown: the context of Run is done: shutdown: Stop was called")
	})
}

func TestAnInnerGroupThatFailsStopsTheOuter(t *testing.T) {
	inBubble(t, func(t *testing.T, outer *Group) {
		var inner Group
		require.NoError(t, inner.Go("feed", func(context.Context) error { return io.ErrUnexpectedEOF }))
		require.NoError(t, outer.Go("waits", untilDone))
		require.NoError(t, outer.Go("inner", inner.Run))
		assert.EqualError(t, outer.Run(bg), `shutdown: worker "inner": shutdown: worker "feed": unexpected EOF`)
	})
}

func TestAnInnerGroupStopsWithinTheGraceOfTheOuter(t *testing.T) {
	inBubble(t, func(t *testing.T, outer *Group) {
		outer.Timeout = 2 * time.Second
		inner := Group{Timeout: time.Hour, Logger: quiet()}
		require.NoError(t, inner.Add("hangs", newStuck(t)))
		require.NoError(t, outer.Go("inner", inner.Run))
		synctest.Wait()
		outer.Stop()
		began := time.Now()
		err := outer.Run(bg)
		assert.Equal(t, 900*time.Millisecond, time.Since(began))
		assert.EqualError(t, err, `shutdown: worker "inner": shutdown: step "hangs": not done after 900ms: left behind`)
		assert.Equal(t, StatusDeadline, ExitStatus(err))
	})
}

// Even if the inner group began to stop before the outer one.
func TestAnInnerGroupThatIsStoppingStopsWithinTheGraceOfTheOuter(t *testing.T) {
	inBubble(t, func(t *testing.T, outer *Group) {
		outer.Timeout = 2 * time.Second
		inner := Group{Timeout: time.Hour, Logger: quiet()}
		var j journal
		require.NoError(t, outer.Add("zmq", j.step("outer zmq")))
		require.NoError(t, inner.Add("zmq", j.step("inner zmq")))
		require.NoError(t, inner.Add("hangs", newStuck(t)))
		require.NoError(t, outer.Go("inner", inner.Run))
		inner.Stop()
		time.Sleep(time.Minute)
		outer.Stop()
		began := time.Now()
		err := outer.Run(bg)
		assert.Equal(t, 900*time.Millisecond+overtime/2, time.Since(began))
		assert.ErrorContains(t, err, `shutdown: worker "inner": shutdown: step "hangs": not done after 1m1s: left behind`)
		assert.Equal(t, StatusDeadline, ExitStatus(err))
		assert.Equal(t, []string{"inner zmq", "outer zmq"}, j.all())
	})
}

// Steps have the values of Run's context, whatever begins the stop.
func TestStepsHaveTheValuesOfRunsContext(t *testing.T) {
	type key struct{}
	for _, byOuter := range []bool{false, true} {
		inBubble(t, func(t *testing.T, outer *Group) {
			inner := Group{Logger: quiet()}
			var value any
			require.NoError(t, inner.Add("zmq", Func(func(ctx context.Context) error { value = ctx.Value(key{}); return nil })))
			require.NoError(t, outer.Go("inner", func(ctx context.Context) error { return inner.Run(context.WithValue(ctx, key{}, 7)) }))
			if byOuter {
				outer.Stop()
			} else {
				inner.Stop()
			}
			require.NoError(t, outer.Run(bg))
			assert.Equal(t, 7, value)
		})
	}
}

// The error of an inner group is a failure to the outer one, even if it
// consists of a cancellation.
func TestAnInnerErrorIsNotTakenForACancellation(t *testing.T) {
	inBubble(t, func(t *testing.T, outer *Group) {
		var inner Group
		require.NoError(t, inner.Add("db", Func(func(context.Context) error { return context.Canceled })))
		require.NoError(t, outer.Go("inner", inner.Run))
		synctest.Wait()
		outer.Stop()
		assert.EqualError(t, outer.Run(bg), `shutdown: worker "inner": shutdown: step "db": context canceled`)
	})
}

func TestRunOfAGroupThatIsElsewhere(t *testing.T) {
	inBubble(t, func(t *testing.T, outer *Group) {
		var other, inner Group
		require.NoError(t, other.Add("inner", &inner))
		require.NoError(t, outer.Go("inner", inner.Run))
		assert.EqualError(t, outer.Run(bg), `shutdown: worker "inner": shutdown: Run: the group is already part of another group`)
		require.Error(t, other.Shutdown(bg))
	})
}

// The registry forgets groups that were taken down.
func TestTheRegistryHoldsOnlyWhatIsLeft(t *testing.T) {
	var g, inner Group
	g.Signals = noSignals
	require.NoError(t, g.Add("inner", &inner))
	inner.Context()
	registry.mu.Lock()
	assert.Contains(t, registry.roots, &g)
	assert.NotContains(t, registry.roots, &inner)
	registry.mu.Unlock()
	require.NoError(t, g.Shutdown(bg))
	registry.mu.Lock()
	assert.NotContains(t, registry.roots, &g)
	registry.mu.Unlock()
}

// Whatever hangs at whatever depth, every step of every group is called, in
// order, before the outermost stop ends in its time.
func TestNoStepOfANestedGroupIsSkipped(t *testing.T) {
	runs := 50
	if testing.Short() {
		runs = 10
	}
	for range runs {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		upTo := func(d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) + 1 }
		inBubble(t, func(t *testing.T, outermost *Group) {
			outermost.Timeout = upTo([]time.Duration{30 * time.Millisecond, time.Second, 10 * time.Second}[r.IntN(3)])
			hangs := newStuck(t)
			var j journal
			var want []string // last first
			step := func(name string) Func {
				obeys, d := r.IntN(3), upTo(time.Second)
				return func(ctx context.Context) error {
					j.add(name)
					switch obeys {
					case 0:
						return hangs.Shutdown(ctx)
					case 1:
						<-ctx.Done()
						return ctx.Err()
					}
					time.Sleep(d)
					return nil
				}
			}
			var fill func(g *Group, name string, depth int)
			fill = func(g *Group, name string, depth int) {
				if r.IntN(3) == 0 {
					require.NoError(t, g.Go("deaf", hangs.work))
				}
				for i := range r.IntN(4) + 1 {
					name := fmt.Sprint(name, ".", i)
					inner := &Group{Logger: quiet()}
					kind := r.IntN(4)
					if depth == 0 {
						kind = 3
					}
					switch kind {
					case 0:
						require.NoError(t, g.Add(name, inner))
					case 1:
						inner.Timeout = upTo(time.Second)
						require.NoError(t, g.Add(name, inner, Within(upTo(time.Second))))
					case 2:
						require.NoError(t, g.Add(name, Func(func(ctx context.Context) error { return inner.Shutdown(ctx) })))
					case 3:
						require.NoError(t, g.Add(name, step(name)))
						want = append(want, name)
						continue
					}
					fill(inner, name, depth-1)
				}
			}
			fill(outermost, "", 3)
			ctx := bg
			if r.IntN(3) == 0 {
				bounded, cancel := context.WithTimeout(bg, upTo(outermost.Timeout)-1)
				defer cancel()
				ctx = bounded
			}
			began := time.Now()
			_ = outermost.Shutdown(ctx)
			slices.Reverse(want)
			assert.Equal(t, want, j.all(), "seed %d", seed)
			assert.LessOrEqual(t, time.Since(began), outermost.Timeout+overtime+overtime/2, "seed %d", seed)
			time.Sleep(time.Minute) // until all have returned
		})
	}
}

// The group that a worker runs is as deaf as the step that hangs in it, but not
// skipped.
func TestNoStepOfAGroupThatIsAWorkerIsSkipped(t *testing.T) {
	for _, grace := range []time.Duration{time.Millisecond, 150 * time.Millisecond, 299 * time.Millisecond} {
		for _, before := range []bool{false, true} {
			inBubble(t, func(t *testing.T, outer *Group) {
				outer.Timeout, outer.Grace = 300*time.Millisecond, grace
				var j journal
				inner := Group{Logger: quiet()}
				require.NoError(t, outer.Add("outer", j.step("outer")))
				for i := range 5 {
					require.NoError(t, inner.Add(fmt.Sprint(i), Func(func(ctx context.Context) error {
						j.add("inner")
						return newStuck(t).Shutdown(ctx)
					})))
				}
				require.NoError(t, outer.Go("inner", inner.Run))
				synctest.Wait()
				if before {
					inner.Stop()
					synctest.Wait()
				}
				began := time.Now()
				_ = outer.Shutdown(bg)
				assert.LessOrEqual(t, time.Since(began), outer.Timeout+overtime)
				assert.Len(t, j.all(), 6, "grace %v", grace)
				if !before {
					assert.Equal(t, "outer", j.all()[5], "grace %v", grace)
				}
			})
		}
	}
}

// A group inside tells what has happened to it, even if it was left behind.
func TestAPanicInsideAGroupThatIsLeftBehindCounts(t *testing.T) {
	for _, asWorker := range []bool{false, true} {
		inBubble(t, func(t *testing.T, outer *Group) {
			outer.Timeout = 300 * time.Millisecond
			inner := Group{Timeout: time.Hour, Logger: quiet()}
			require.NoError(t, inner.Add("hangs", newStuck(t)))
			require.NoError(t, inner.Add("panics", Func(func(context.Context) error { panic("boom") })))
			if asWorker {
				require.NoError(t, outer.Go("inner", inner.Run))
			} else {
				require.NoError(t, outer.Add("inner", &inner))
				require.NoError(t, outer.Add("hangs", newStuck(t)))
			}
			err := outer.Shutdown(bg)
			assert.ErrorContains(t, err, `step "panics": panic: boom [`)
			assert.ErrorContains(t, err, `step "hangs": not done after`)
			assert.Equal(t, StatusPanic, ExitStatus(err))
		})
	}
}
