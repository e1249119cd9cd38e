package guard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func cancelAtEnd(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx
}

func TestQueue(t *testing.T) {
	q := NewQueue()
	a, b := NewWatch(q, In, 0), NewWatch(q, In, 1)
	q.Push(a, b, a)
	check(t, "each once", q.Len() == 2)
	q.Remove(a)
	q.Remove(a)
	check(t, "removed", q.Len() == 1)
	got := q.Take(nil)
	check(t, "Take", len(got) == 1 && got[0] == b && q.Len() == 0)
	check(t, "nothing is kept", len(q.maybe) == 0 && q.maybe[:1][0] == nil)
	q.Push(a, b)
	got = q.Take(got[:0])
	check(t, "in order", len(got) == 2 && got[0] == a && got[1] == b)
}

func TestQueueWait(t *testing.T) {
	bubble(t, "queue", func(t *testing.T) {
		q := NewQueue()
		expired := make(chan time.Time, 1)
		expired <- time.Now()
		late, err := q.Wait(t.Context(), expired)
		check(t, "late", late && err == nil)
		q.Wake()
		q.Wake()
		late, err = q.Wait(t.Context(), nil)
		check(t, "a Wake before the Wait counts", !late && err == nil)
		late, err = q.Wait(cancelled(), nil)
		check(t, "two of them are one, and a context ends it", !late && err == context.Canceled)
		q.Push(NewWatch(q, In, 0))
		_, err = q.Wait(cancelled(), nil)
		check(t, "Push wakes nobody", err == context.Canceled)
		q.Wake()
		q.Take(nil)
		_, err = q.Wait(cancelled(), nil)
		check(t, "Take takes the wake-up", err == context.Canceled)

		done := make(chan error, 1)
		go func() { _, err := q.Wait(t.Context(), nil); done <- err }()
		synctest.Wait()
		q.Wake()
		expect(t, done, nil)
	})
}

// A poll that watches one resource twice is one poll.
func TestPollsAreCounted(t *testing.T) {
	bubble(t, "polls", func(t *testing.T) {
		s, q := newSocket(), NewQueue()
		for i := range 2 {
			_, err := s.Watch(NewWatch(q, In, i))
			check(t, "Watch", err == nil)
		}
		done := make(chan error, 1)
		go func() { _, err := q.Wait(t.Context(), nil); done <- err }()
		synctest.Wait()
		_, _, polls := s.Waiting()
		check(t, "one", polls == 1)
		s.Wake()
		expect(t, done, nil)
		_, _, polls = s.Waiting()
		check(t, "none", polls == 0)
	})
}
