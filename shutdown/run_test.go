package shutdown

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCauses(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name  string
		begin func(g *Group, cancel context.CancelCauseFunc) // after a second
		want  error                                          // of Run
		cause string
	}{
		{"Stop", func(g *Group, _ context.CancelCauseFunc) { g.Stop() }, nil, "shutdown: Stop was called"},
		{"Shutdown", func(g *Group, _ context.CancelCauseFunc) { _ = g.Shutdown(bg) }, nil, "shutdown: Shutdown was called"},
		{
			"the context of Run", func(_ *Group, cancel context.CancelCauseFunc) { cancel(boom) }, nil,
			"shutdown: the context of Run is done: boom",
		},
		{
			"an error", func(g *Group, _ context.CancelCauseFunc) {
				_ = g.Go("feed", func(context.Context) error { return boom })
			}, boom, `shutdown: worker "feed": boom`,
		},
		{
			"bad input", func(g *Group, _ context.CancelCauseFunc) { _ = g.Go("", untilDone) }, nil,
			"shutdown: a worker has no name: errors and logs need one",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				var j journal
				ctx, cancel := context.WithCancelCause(bg)
				defer cancel(nil)
				var cause error
				require.NoError(t, g.Go("waits", func(ctx context.Context) error {
					<-ctx.Done()
					cause = context.Cause(ctx)
					return cause
				}))
				require.NoError(t, g.Add("zmq", j.step("zmq")))
				go func() {
					time.Sleep(time.Second)
					tt.begin(g, cancel)
				}()
				err := g.Run(ctx)
				assert.EqualError(t, cause, tt.cause)
				assert.Equal(t, []string{"zmq"}, j.all())
				assert.Equal(t, cause, g.Report().Cause)
				switch {
				case tt.want != nil:
					assert.ErrorIs(t, err, tt.want)
					assert.EqualError(t, err, tt.cause)
				case tt.name == "bad input":
					assert.EqualError(t, err, tt.cause)
				default:
					assert.NoError(t, err)
				}
				synctest.Wait()
			})
		})
	}
}

func TestTheLastWorkersReturnEndsRun(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var j journal
		require.NoError(t, g.Add("zmq", j.step("zmq")))
		require.NoError(t, g.Go("one", func(context.Context) error { return nil }))
		synctest.Wait() // it has returned, but Run was not called yet: more may come
		require.NoError(t, g.Context().Err())
		require.NoError(t, g.Go("two", func(context.Context) error {
			time.Sleep(time.Second)
			return g.Go("three", func(context.Context) error { time.Sleep(time.Second); return nil })
		}))
		began := time.Now()
		require.NoError(t, g.Run(bg))
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.ErrorIs(t, g.Report().Cause, errReturned)
		assert.Equal(t, []string{"zmq"}, j.all())
	})
}

func TestRunOfWorkersThatAreDone(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("one", func(context.Context) error { return nil }))
		synctest.Wait()
		require.NoError(t, g.Run(bg))
		assert.ErrorIs(t, g.Report().Cause, errReturned)
	})
}

func TestAGroupWithoutWorkersGoesOn(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Add("zmq", Func(func(context.Context) error { return nil })))
		ctx, cancel := context.WithTimeout(bg, time.Hour)
		defer cancel()
		began := time.Now()
		require.NoError(t, g.Run(ctx))
		assert.Equal(t, time.Hour, time.Since(began))
	})
}

func TestACauseFromBeforeRunCounts(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var j journal
		boom := errors.New("boom")
		require.NoError(t, g.Go("fails", func(context.Context) error { return boom }))
		synctest.Wait()
		require.Error(t, g.Context().Err())
		assert.Empty(t, j.all())
		require.ErrorIs(t, g.Add("zmq", j.step("zmq")), ErrStopped) // closed anyway
		require.ErrorIs(t, g.Run(bg), boom)
		assert.Equal(t, []string{"zmq"}, j.all())
	})
}

func TestRunTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("worker", func(context.Context) error {
			time.Sleep(time.Second)
			assert.EqualError(t, g.Run(bg), "shutdown: Run was called twice, or in a group that Main runs: a group runs once")
			assert.NoError(t, g.Context().Err()) // the first goes on
			return nil
		}))
		require.NoError(t, g.Run(bg))
	})
}

func TestNilContexts(t *testing.T) {
	var none context.Context
	inBubble(t, func(t *testing.T, g *Group) {
		assert.EqualError(t, g.Run(none), "shutdown: Run: the context is nil: want context.Background() if there is no other")
	})
	inBubble(t, func(t *testing.T, g *Group) {
		assert.EqualError(t, g.Shutdown(none), "shutdown: Shutdown: the context is nil: want context.Background() if there is no other")
	})
}

func TestShutdownByOnesOwnWorkerOrStep(t *testing.T) {
	const want = "shutdown: Shutdown was called by a worker or step of the group, and would wait for it: use Stop"
	inBubble(t, func(t *testing.T, g *Group) {
		all := make(chan struct{}) // closed when all are there: the first Shutdown begins the stop
		require.NoError(t, g.Add("step", Func(func(ctx context.Context) error {
			assert.EqualError(t, g.Shutdown(ctx), want)
			return nil
		})))
		require.NoError(t, g.Go("worker", func(ctx context.Context) error {
			<-all
			assert.EqualError(t, g.Shutdown(ctx), want)
			<-ctx.Done() // it has begun the stop
			return nil
		}))
		var inner Group
		require.NoError(t, g.Add("part", &inner))
		require.NoError(t, inner.Go("worker of a part", func(ctx context.Context) error {
			<-all
			assert.EqualError(t, g.Shutdown(ctx), want)
			return nil
		}))
		close(all)
		began := time.Now()
		require.NoError(t, g.Run(bg))
		assert.Zero(t, time.Since(began))
	})
}

func TestShutdownsContextBounds(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) { // Grace shrinks with it, to a quarter
		g.Grace = 6 * time.Second
		require.NoError(t, g.Add("hangs", newStuck(t)))
		require.NoError(t, g.Go("deaf", newStuck(t).work))
		ctx, cancel := context.WithTimeout(bg, 2*time.Second)
		defer cancel()
		began := time.Now()
		err := g.Shutdown(ctx)
		assert.Equal(t, 2*time.Second, time.Since(began))
		assert.EqualError(t, err, `shutdown: step "hangs": not done after 500ms: left behind
shutdown: worker "deaf": still running 2s after the stop began, with a grace of 1.5s`)
	})
}

func TestShutdownWithoutTimeCallsEveryStep(t *testing.T) {
	past, cancelPast := context.WithDeadline(bg, time.Unix(0, 0))
	defer cancelPast()
	cancelled, cancel := context.WithCancel(bg)
	cancel()
	for _, ctx := range []context.Context{past, cancelled} {
		inBubble(t, func(t *testing.T, g *Group) {
			var j journal
			step := func(name string) Func {
				return func(ctx context.Context) error {
					assert.Error(t, ctx.Err())
					j.add(name)
					return nil
				}
			}
			require.NoError(t, g.Add("first", step("first")))
			require.NoError(t, g.Add("hangs", newStuck(t)))
			require.NoError(t, g.Add("third", step("third")))
			require.NoError(t, g.Go("obeys", untilDone))
			require.NoError(t, g.Go("deaf", newStuck(t).work))
			began := time.Now()
			err := g.Shutdown(ctx)
			assert.ErrorContains(t, err, "shutdown: no time was left when the stop began: "+ctx.Err().Error())
			assert.ErrorContains(t, err, `step "hangs": not done after`)
			assert.ErrorContains(t, err, `worker "deaf": still running`)
			assert.NotContains(t, err.Error(), "obeys")
			assert.ErrorIs(t, err, ctx.Err())
			assert.Equal(t, StatusDeadline, ExitStatus(err))
			assert.Equal(t, []string{"third", "first"}, j.all())
			assert.LessOrEqual(t, time.Since(began), overtime+overtime/2)
		})
	}
}

// Even if nothing needs the time.
func TestShutdownWithoutTimeIsAnError(t *testing.T) {
	cancelled, cancel := context.WithCancel(bg)
	cancel()
	var g Group
	err := g.Shutdown(cancelled)
	assert.EqualError(t, err, "shutdown: no time was left when the stop began: context canceled")
	assert.Equal(t, StatusDeadline, ExitStatus(err))
}

func TestShutdownIsCutShort(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var j journal
		require.NoError(t, g.Add("last", j.step("last")))
		require.NoError(t, g.Add("hangs", newStuck(t)))
		ctx, cancel := context.WithCancel(bg)
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		err := g.Shutdown(ctx)
		assert.EqualError(t, err, `shutdown: step "hangs": not done after 1.05s: left behind
shutdown: no time was left for step "last" and those after it: context canceled`)
		assert.Equal(t, time.Second+overtime/2, time.Since(began))
		assert.Equal(t, []string{"last"}, j.all())
	})
}

func TestFurtherShutdownsWait(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		release := make(chan struct{})
		boom := errors.New("boom")
		require.NoError(t, g.Add("slow", Func(func(context.Context) error { <-release; return boom })))
		go func() { _ = g.Shutdown(bg) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		err := g.Shutdown(ctx)
		assert.EqualError(t, err, "shutdown: gave up waiting for the stop, which goes on: context deadline exceeded")
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		close(release)
		assert.ErrorIs(t, g.Shutdown(bg), boom)
		assert.ErrorIs(t, g.Shutdown(ctx), boom) // it is over: no need to wait
		assert.ErrorIs(t, g.Run(bg), boom)
	})
}

// When the time is cut short, workers don't use all that is left.
func TestStepsHaveTheirShareOfATimeCutShort(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("deaf", newStuck(t).work))
		require.NoError(t, g.Add("quick", Func(func(context.Context) error { time.Sleep(overtime / 4); return nil })))
		ctx, cancel := context.WithCancel(bg)
		time.AfterFunc(time.Second, cancel) // in its grace
		began := time.Now()
		err := g.Shutdown(ctx)
		assert.ErrorContains(t, err, `worker "deaf": still running`)
		assert.Equal(t, Done, g.Report().Steps[0].State)
		assert.LessOrEqual(t, time.Since(began), time.Second+overtime)
	})
}

func TestAWorkerIsNotWaitedForWhenTheTimeIsCutShort(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("deaf", newStuck(t).work))
		ctx, cancel := context.WithCancel(bg)
		time.AfterFunc(5*time.Second, cancel) // after its grace
		began := time.Now()
		assert.Equal(t, StatusDeadline, ExitStatus(g.Shutdown(ctx)))
		assert.LessOrEqual(t, time.Since(began), 5*time.Second+overtime)
	})
}
