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

type closer func() error

func (c closer) Close() error { return c() }

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
			"shutdown: a worker has no name: want one to call it by in errors and logs",
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
		synctest.Wait() // it is out, and Run hasn't been called: more may come
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
		require.ErrorIs(t, g.Add("zmq", j.step("zmq")), ErrStopped) // closed all the same
		require.ErrorIs(t, g.Run(bg), boom)
		assert.Equal(t, []string{"zmq"}, j.all())
	})
}
