package guard

import (
	"context"
	"sync/atomic"
	"time"
)

// Wait says what a call waits for, and for how long.
type Wait struct {
	Dir      Ready         // In or Out
	Reliable bool          // Events with Dir promises that the try succeeds
	Timeout  time.Duration // 0: the call doesn't wait; negative: no time-out
	Tried    bool          // the caller has tried in vain already
}

// direction is one of the two in which calls wait: In or Out.
type direction struct {
	slot    chan struct{} // holds a token while nobody has the slot
	parker  Parker        // of whoever has the slot
	waiting atomic.Bool   // somebody has the slot, and may be parked
	blocked atomic.Int32  // number of waiting calls, with the slot or for it; for reports only
}

// Do is the whole life of a call that may have to wait. It calls try with the
// lock held until that returns something other than again, and returns that.
// It gives up when the guard is closed (with its error), when ctx is done
// (ctx.Err()) and after the time-out (again). Giving up takes nothing from the
// resource and puts nothing into it.
//
// try learns whether somebody else waits; if so it returns the Events as they
// are after it.
func (g *Guard) Do(ctx context.Context, w Wait, try func(watched bool) (Ready, error)) error {
	if !w.Tried {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := g.Lock(); err != nil {
			return err
		}
		ready, err := try(g.Watched())
		g.Unlock(ready)
		if err != g.again {
			return err
		}
	}
	if w.Timeout == 0 {
		return g.again
	}

	mine, other := g.directions(w.Dir)
	var until time.Time // zero: none
	if w.Timeout > 0 {
		until = time.Now().Add(w.Timeout)
	}
	mine.blocked.Add(1)
	defer mine.blocked.Add(-1)
	if err := g.takeSlot(ctx, mine, until); err != nil {
		return err
	}
	defer mine.leaveSlot()

	mine.waiting.Store(true) // before the try: what happens after the try then wakes this call
	for {
		if err := g.Lock(); err != nil {
			return err
		}
		ready, err := Ready(0), g.resource.Arm()
		if err == nil {
			ready, err = try(other.waiting.Load() || g.watchers.any.Load())
		}
		g.mu.Unlock()
		g.wake(ready &^ w.Dir) // in its own direction this call is the one that waits
		g.watchers.notify(ready)
		if err != g.again {
			return err
		}
		if w.Reliable && ready&w.Dir != 0 {
			continue // ready since the try, and the edge for that is consumed
		}
		next := until
		if !w.Reliable {
			if recheck := time.Now().Add(Recheck); until.IsZero() || recheck.Before(until) {
				next = recheck
			}
		}
		switch err := mine.parker.Park(ctx, next); {
		case err == nil:
		case err != ErrExpired:
			return err
		case next == until:
			return g.again
		}
	}
}

// directions returns the direction dir and the other one. It makes what they
// need to wait, which nobody else looks at before waiting is set.
func (g *Guard) directions(dir Ready) (mine, other *direction) {
	g.making.Do(func() {
		for _, d := range []*direction{&g.in, &g.out} {
			d.slot, d.parker = make(chan struct{}, 1), newTokenParker()
			d.slot <- struct{}{}
		}
	})
	if dir == Out {
		return &g.out, &g.in
	}
	return &g.in, &g.out
}

// takeSlot waits for the slot.
func (g *Guard) takeSlot(ctx context.Context, d *direction, until time.Time) error {
	select {
	case <-d.slot:
		return nil
	default:
	}
	var expired <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-d.slot:
		return nil
	case <-g.done:
		return g.Err()
	case <-ctx.Done():
		return ctx.Err()
	case <-expired:
		return g.again
	}
}

func (d *direction) leaveSlot() {
	d.waiting.Store(false)
	d.slot <- struct{}{}
}

// wake makes the call that has the slot try again.
func (d *direction) wake() {
	if d.waiting.Load() {
		d.parker.Unpark()
	}
}
