package shutdown

import (
	"context"
	"errors"
	"io"
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
			inner := Group{Logger: quiet()} // its Signals are not looked at
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
		var inner Group // without a bubble it would catch signals, if it weren't a part of outer
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

// Also when it had begun to stop before the outer did.
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
		assert.Equal(t, 900*time.Millisecond+late/2, time.Since(began))
		assert.ErrorContains(t, err, `shutdown: worker "inner": shutdown: step "hangs": not done after 1m1s: left behind`)
		assert.Equal(t, StatusDeadline, ExitStatus(err))
		assert.Equal(t, []string{"inner zmq", "outer zmq"}, j.all())
	})
}

// The values of Run's context are for the steps, whoever begins the stop.
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

// What an inner group reports is an error to the outer one, even if it is made of a cancellation.
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
		assert.EqualError(t, outer.Run(bg), `shutdown: worker "inner": shutdown: Run: the group is a part of another group already`)
		require.Error(t, other.Shutdown(bg))
	})
}
