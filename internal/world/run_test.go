package world

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seed     = flag.Int64("seed", -1, "run only the plan of this seed, in TestAccount")
	first    = flag.Int64("first", 0, "the first seed of TestAccount")
	messages = flag.Int("messages", 30_000, "how many messages TestAccount sends, at least; a tenth of it with -short")
	quiet    = flag.Duration("quiet", 10*time.Second, "how long TestAccount waits for a message before it counts as lost")
)

// TestAccount runs random plans and accounts for every message of them.
func TestAccount(t *testing.T) {
	want := int64(*messages)
	if testing.Short() {
		want /= 10
	}
	var (
		next                  atomic.Int64
		total, plans, mayLose atomic.Int64
		group                 sync.WaitGroup
	)
	next.Store(*first)
	if *seed >= 0 {
		next.Store(*seed)
	}
	dir := t.TempDir()
	// More than there are processors, since plans wait for lingers, too.
	for range 1 + runtime.GOMAXPROCS(0) {
		group.Go(func() {
			var children pool
			defer func() {
				if err := children.stop(); err != nil {
					t.Error(err)
				}
			}()
			for !t.Failed() && total.Load() < want {
				n := next.Add(1) - 1
				if *seed >= 0 && n > *seed {
					return
				}
				p := Random(uint64(n))
				c, err := children.run(p, dir)
				if err != nil {
					t.Errorf("%v\n%v", err, repeat(p))
					return
				}
				if faults := Check(&p, c); len(faults) > 0 {
					t.Errorf("%s\nended %+v\nsaid %+v\n%v", strings.Join(faults, "\n"), c.Ended, c.Said, repeat(p))
				}
				if *seed >= 0 {
					t.Logf("%vended %+v\nsent %+v\nsaid %+v", p, c.Ended, c.Sent, c.Said)
				}
				total.Add(int64(c.Total()))
				plans.Add(1)
				for _, s := range c.Said {
					mayLose.Add(int64(s.MayLose + s.Detached))
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d plans, %d messages, %d of them possibly lost", plans.Load(), total.Load(), mayLose.Load())
}

// repeat says what has failed and how to repeat it.
func repeat(p Plan) string {
	return fmt.Sprintf("%vto repeat it: go test ./internal/world -run Account -seed %d", p, p.Seed)
}

// pool has the children that plans run in, one after another.
type pool struct{ children []*Child }

func (p *pool) run(plan Plan, dir string) (*Counts, error) {
	for len(p.children) < 2 {
		c, err := startChild()
		if err != nil {
			return nil, err
		}
		p.children = append(p.children, c)
	}
	return Run(plan, p.children, dir, Limits{Quiet: *quiet})
}

func (p *pool) stop() (err error) {
	for _, c := range p.children {
		if e := c.Stop(); e != nil {
			err = e
		}
	}
	return err
}
