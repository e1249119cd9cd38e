package shutdown

import (
	"bytes"
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type (
	valueCloser struct{ file *os.File }
	sliceCloser []io.Closer
	emptyCloser struct{}
)

func (valueCloser) Close() error { return nil }

func (sliceCloser) Close() error { return nil }

func (emptyCloser) Close() error { return nil }

func TestAddedTwice(t *testing.T) {
	same := newServer()
	tests := []struct {
		name   string
		first  func(g *Group) error
		second func(g *Group) error
		twice  bool
	}{
		{"Add", func(g *Group) error { return g.Add("a", same) }, func(g *Group) error { return g.Add("b", same) }, true},
		{
			"Add and Serve",
			func(g *Group) error { return g.Add("a", same) },
			func(g *Group) error { return g.Serve("b", same.serve, same) }, true,
		},
		{
			"AddCloser of equal values",
			func(g *Group) error { return g.AddCloser("a", valueCloser{os.Stdin}) },
			func(g *Group) error { return g.AddCloser("b", valueCloser{os.Stdin}) }, true,
		},
		{
			"other values",
			func(g *Group) error { return g.AddCloser("a", valueCloser{os.Stdin}) },
			func(g *Group) error { return g.AddCloser("b", valueCloser{os.Stdout}) }, false,
		},
		{
			"what can't be compared",
			func(g *Group) error { return g.AddCloser("a", sliceCloser{}) },
			func(g *Group) error { return g.AddCloser("b", sliceCloser(nil)) }, false,
		},
		{
			"pointers that may be equal",
			func(g *Group) error { return g.AddCloser("a", &emptyCloser{}) },
			func(g *Group) error { return g.AddCloser("b", &emptyCloser{}) }, false,
		},
		{
			"no-op closers",
			func(g *Group) error { return g.AddCloser("a", io.NopCloser(&bytes.Buffer{})) },
			func(g *Group) error { return g.AddCloser("b", io.NopCloser(&bytes.Buffer{})) }, false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				same.down = make(chan struct{})
				require.NoError(t, tt.first(g))
				err := tt.second(g)
				if !tt.twice {
					require.NoError(t, err)
					require.NoError(t, g.Shutdown(bg))
					return
				}
				require.EqualError(t, err, `shutdown: step "b" is already in the group, as "a": add it once`)
				require.ErrorIs(t, g.Run(bg), err)
				assert.Len(t, g.Report().Steps, 1)
			})
		})
	}
}

// Whatever is added is closed, whenever it is added.
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

		time.Sleep(time.Hour) // past the deadline
		err = g.Add("fails", Func(func(ctx context.Context) error { assert.Error(t, ctx.Err()); return io.ErrClosedPipe }))
		assert.ErrorIs(t, err, ErrStopped)
		assert.ErrorIs(t, err, io.ErrClosedPipe)

		began := time.Now()
		assert.ErrorContains(t, g.Add("hangs", newStuck(t)), `step "hangs": not done after 100ms: left behind`)
		assert.Equal(t, overtime, time.Since(began))
	})
}
