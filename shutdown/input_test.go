package shutdown

import (
	"bytes"
	"context"
	"io"
	"os"
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
		{func(g *Group) error { return g.Go("", untilDone) }, "a worker has no name: want one to call it by in errors and logs"},
		{func(g *Group) error { return g.Go("w", nil) }, `worker "w": the function is nil`},
		{func(g *Group) error { return g.Add("", nothing) }, "a step has no name: want one to call it by in errors and logs"},
		{func(g *Group) error { return g.Add("s", nil) }, `step "s": what is to be closed is nil`},
		{func(g *Group) error { return g.Add("s", Func(nil)) }, `step "s": what is to be closed is nil`},
		{func(g *Group) error { return g.Add("s", (*server)(nil)) }, `step "s": what is to be closed is nil`},
		{func(g *Group) error { return g.AddCloser("s", nil) }, `step "s": what is to be closed is nil`},
		{func(g *Group) error { return g.AddCloser("s", (*os.File)(nil)) }, `step "s": what is to be closed is nil`},
		{func(g *Group) error { return g.AddCloser("", os.Stdin) }, "a step has no name: want one to call it by in errors and logs"},
		{func(g *Group) error { return g.Serve("", serve, nothing) }, "a worker has no name: want one to call it by in errors and logs"},
		{func(g *Group) error { return g.Serve("w", nil, nothing) }, `worker "w": the function is nil`},
		{func(g *Group) error { return g.Serve("w", serve, nil) }, `worker "w": what is to be closed is nil`},
		{func(g *Group) error { return g.Add("s", nothing, nil) }, `step "s": an option is nil`},
		{func(g *Group) error { return g.Add("s", nothing, Within(0)) }, `step "s": Within(0s): want a positive duration`},
		{func(g *Group) error { return g.Add("s", nothing, Within(-time.Second)) }, `step "s": Within(-1s): want a positive duration`},
		{func(g *Group) error { return g.Add("s", g) }, `step "s": a group can't be a part of itself`},
		{func(g *Group) error {
			inner := new(Group)
			_ = inner.Add("g", nothing)
			_ = g.Add("inner", inner)
			return inner.Add("s", g)
		}, `step "s": a group can't be a part of itself`},
		{func(g *Group) error {
			inner := new(Group)
			_ = new(Group).Add("inner", inner)
			return g.Add("s", inner)
		}, `step "s": the group is a part of another group already`},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			inBubble(t, func(t *testing.T, g *Group) {
				var j journal
				require.NoError(t, g.Add("zmq", j.step("zmq")))
				require.NoError(t, g.Go("worker", untilDone))
				err := tt.call(g)
				require.EqualError(t, err, "shutdown: "+tt.want)
				if context.Cause(g.Context()) != nil { // but for what was wrong with another group
					assert.Equal(t, err, context.Cause(g.Context()))
					assert.ErrorIs(t, g.Run(bg), err) // at once
				}
				require.LessOrEqual(t, ExitStatus(g.Shutdown(bg)), StatusError)
				assert.Equal(t, []string{"zmq"}, j.all())
			})
		})
	}
}

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
				require.EqualError(t, err, `shutdown: step "b" is in the group already, as "a": what is added once is closed once`)
				require.ErrorIs(t, g.Run(bg), err)
				assert.Len(t, g.Report().Steps, 1)
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
		{&Group{Grace: 8 * time.Second}, "shutdown: Group.Grace is 8s: want less than Timeout, 8s, which is for closing, too"},
		{&Group{Timeout: 2 * time.Second, Grace: 3 * time.Second}, "shutdown: Group.Grace is 3s: want less than Timeout, 2s, which is for closing, too"},
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
	assert.Equal(t, &settings{8 * time.Second, 4 * time.Second, 0, []os.Signal{syscall.SIGINT, syscall.SIGTERM}}, s)
	s, err = (&Group{Timeout: 3 * time.Second, Signals: []os.Signal{syscall.SIGHUP}}).readFields()
	require.NoError(t, err)
	assert.Equal(t, &settings{3 * time.Second, 1500 * time.Millisecond, 0, []os.Signal{syscall.SIGHUP}}, s)
	s, err = (&Group{Timeout: 3 * time.Second, Grace: 2 * time.Second, StepTimeout: time.Second, Signals: noSignals}).readFields()
	require.NoError(t, err)
	assert.Equal(t, &settings{3 * time.Second, 2 * time.Second, time.Second, nil}, s)
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
	const want = "shutdown: Shutdown was called by a worker or step of the group, for which it would wait: use Stop"
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
