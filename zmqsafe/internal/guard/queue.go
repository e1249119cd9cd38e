package guard

import (
	"context"
	"slices"
	"sync/atomic"
	"time"
)

// Queue holds the watches of one poll whose resources may be ready. Any
// goroutine may call any method.
type Queue struct {
	mu    queueMutex
	maybe []*Watch // guarded by mu

	wake    chan struct{} // a token: look again
	blocked atomic.Int32  // number of waiting goroutines; for reports only
}

// NewQueue returns an empty Queue.
func NewQueue() *Queue { return &Queue{wake: make(chan struct{}, 1)} }

// Push queues watches that aren't queued yet. It wakes nobody: a Wake follows,
// unless the caller itself is about to look.
func (q *Queue) Push(watches ...*Watch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range watches {
		if !w.queued {
			w.queued = true
			q.maybe = append(q.maybe, w)
		}
	}
}

// Remove takes w out.
func (q *Queue) Remove(w *Watch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.maybe, w); i >= 0 {
		q.maybe = slices.Delete(q.maybe, i, i+1)
		w.queued = false
	}
}

// Len counts the watches in the queue.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.maybe)
}

// Take empties the queue into buf, and takes the wake-up with it: what that was
// for is looked at now.
func (q *Queue) Take(buf []*Watch) []*Watch {
	q.mu.Lock()
	defer q.mu.Unlock()
	select {
	case <-q.wake:
	default:
	}
	for _, w := range q.maybe {
		w.queued = false
	}
	buf = append(buf, q.maybe...)
	clear(q.maybe) // or it would keep what was removed
	q.maybe = q.maybe[:0]
	return buf
}

// Wake makes one who waits look again. It never blocks; a Wake too many costs
// one look.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Wait waits for a Wake. late says that expired came first.
func (q *Queue) Wait(ctx context.Context, expired <-chan time.Time) (late bool, err error) {
	q.Block(func(wake <-chan struct{}) {
		select {
		case <-wake:
		case <-expired:
			late = true
		case <-ctx.Done():
			err = ctx.Err()
		}
	})
	return late, err
}

// Block calls f, which waits for wake and whatever else it likes. Reports count
// it as a poll that waits.
func (q *Queue) Block(f func(wake <-chan struct{})) {
	q.blocked.Add(1)
	defer q.blocked.Add(-1)
	f(q.wake)
}
