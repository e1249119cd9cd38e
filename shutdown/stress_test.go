package shutdown

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// countedCloser is something to be closed that counts how often it is.
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

// However calls race with the stop: what is added is closed once, and only when
// every worker that was started is out.
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

// Groups that were taken down are forgotten.
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

// A loaded machine makes waiting longer, not the stop: 100 groups that hang, all at once.
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
