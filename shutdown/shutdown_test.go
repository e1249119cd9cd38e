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
shutdown: worker "deaf": still running 2s after it was to stop, with a grace of 1.5s`)
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
			assert.LessOrEqual(t, time.Since(began), late+late/2)
		})
	}
}

// Also when nothing needs the time.
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
		assert.Equal(t, time.Second+late/2, time.Since(began))
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

// What is left when the time is cut short isn't all for the workers.
func TestStepsHaveTheirShareOfATimeCutShort(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("deaf", newStuck(t).work))
		require.NoError(t, g.Add("quick", Func(func(context.Context) error { time.Sleep(late / 4); return nil })))
		ctx, cancel := context.WithCancel(bg)
		time.AfterFunc(time.Second, cancel) // in its grace
		began := time.Now()
		err := g.Shutdown(ctx)
		assert.ErrorContains(t, err, `worker "deaf": still running`)
		assert.Equal(t, Done, g.Report().Steps[0].State)
		assert.LessOrEqual(t, time.Since(began), time.Second+late)
	})
}

func TestAWorkerIsNotWaitedForWhenTheTimeIsCutShort(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		require.NoError(t, g.Go("deaf", newStuck(t).work))
		ctx, cancel := context.WithCancel(bg)
		time.AfterFunc(5*time.Second, cancel) // after its grace
		began := time.Now()
		assert.Equal(t, StatusDeadline, ExitStatus(g.Shutdown(ctx)))
		assert.LessOrEqual(t, time.Since(began), 5*time.Second+late)
	})
}
