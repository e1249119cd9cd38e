package shutdown

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStartingAfterTheStopBegan(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		g.Stop()
		err := g.Go("worker", func(context.Context) error { t.Error("called"); return nil })
		assert.EqualError(t, err, `shutdown: worker "worker" isn't started: the group is stopping or has stopped`)
		assert.ErrorIs(t, err, ErrStopped)
		require.NoError(t, g.Run(bg)) // that isn't a failure
	})
}

// Whatever is added is closed, at any time.
func TestAddingAfterTheStopBegan(t *testing.T) {
	inBubble(t, func(t *testing.T, g *Group) {
		var j journal
		require.NoError(t, g.Add("first", Func(func(context.Context) error {
			err := g.Add("by a step", j.step("by a step"))
			assert.EqualError(t, err, `shutdown: step "by a step" was added after the stop began, and is closed with the others: the group is stopping or has stopped`)
			assert.ErrorIs(t, err, ErrStopped)
			j.add("first")
			return nil
		})))
		require.NoError(t, g.Go("worker", func(ctx context.Context) error {
			<-ctx.Done()
			return g.AddCloser("by a worker", closer(func() error { j.add("by a worker"); return nil }))
		}))
		g.Stop()
		require.NoError(t, g.Run(bg))
		assert.Equal(t, []string{"by a worker", "first", "by a step"}, j.all())

		err := g.Add("after the end", j.step("after the end"))
		assert.EqualError(t, err, `shutdown: step "after the end" was added after the others were done: the group is stopping or has stopped`)
		assert.ErrorIs(t, err, ErrStopped)
		assert.Equal(t, "after the end", j.all()[3])

		time.Sleep(time.Hour) // the deadline is past
		err = g.Add("fails", Func(func(ctx context.Context) error { assert.Error(t, ctx.Err()); return io.ErrClosedPipe }))
		assert.ErrorIs(t, err, ErrStopped)
		assert.ErrorIs(t, err, io.ErrClosedPipe)

		began := time.Now()
		assert.ErrorContains(t, g.Add("hangs", newStuck(t)), `step "hangs": not done after 100ms: left behind`)
		assert.Equal(t, late, time.Since(began))
	})
}
