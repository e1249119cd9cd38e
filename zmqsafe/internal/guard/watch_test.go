package guard

import (
	"testing"
	"testing/synctest"
)

// poll looks at what q has for s, and returns what s is ready for.
func poll(t *testing.T, s *socket, q *Queue) (ready Ready) {
	t.Helper()
	for _, w := range q.Take(nil) {
		r, err := s.Watch(w)
		check(t, "Watch", err == nil)
		ready |= r
	}
	return ready
}

// A watch is notified of an edge, by a call that consumes one, and by a waiter.
func TestWatchIsNotified(t *testing.T) {
	for what, notify := range map[string]func(s *socket){
		"edge":  func(s *socket) { s.wake() },
		"call":  func(s *socket) { _ = s.do(t.Context(), Out, 0) },
		"other": func(s *socket) { _ = s.Lock(); s.Unlock(In | Out) },
	} {
		for _, waiting := range []bool{false, true} {
			bubble(t, what, func(t *testing.T) {
				s, q := newSocket(), NewQueue()
				ctx := cancelAtEnd(t)
				if waiting {
					s.goDo(ctx, Out, -1)
					synctest.Wait()
				}
				w := NewWatch(q, In, 7)
				q.Push(w)
				check(t, "not ready", poll(t, s, q) == 0)
				check(t, "nothing queued", q.Len() == 0)
				s.peer(In)
				notify(s)
				synctest.Wait()
				check(t, "queued", q.Len() == 1)
				check(t, "notified once", !s.watchers.any.Load())
				late, err := q.Wait(ctx, nil)
				check(t, "woken", !late && err == nil)
				check(t, "ready", poll(t, s, q) == In)
				check(t, "and still", poll(t, s, q) == In) // level-triggered
				check(t, "Index", w.Index == 7)
			})
		}
	}
}

// A receive takes the message of one peer, and there is another one: the watch
// is notified by the receive that waited, too.
func TestWaiterNotifiesWatches(t *testing.T) {
	bubble(t, "waiter", func(t *testing.T) {
		s, q := newSocket(), NewQueue()
		q.Push(NewWatch(q, In, 0))
		check(t, "not ready", poll(t, s, q) == 0)
		waiter := s.goDo(t.Context(), In, -1)
		synctest.Wait()
		s.peer(In)
		s.peer(In)
		s.in.wake() // the edge for the watch is consumed by the waiter's try
		expect(t, waiter, nil)
		check(t, "ready", poll(t, s, q) == In)
	})
}

// An edge that comes while a poll looks isn't lost, whether it comes before the
// Events are read or after.
func TestEdgeWhileAPollLooks(t *testing.T) {
	bubble(t, "look", func(t *testing.T) {
		s, q := newSocket(), NewQueue()
		w := NewWatch(q, In, 0)
		s.Open(lateEdge{s}, errAgain)
		_, err := s.Watch(w)
		check(t, "Watch", err == nil)
		check(t, "queued", q.Len() == 1)
	})
}

// lateEdge has an edge passed on between Arm and the end of Events.
type lateEdge struct{ *socket }

func (l lateEdge) Events() Ready {
	ready := l.socket.Events()
	l.peer(In)
	l.wake()
	return ready
}

func TestUnwatch(t *testing.T) {
	s, q := newSocket(), NewQueue()
	w := NewWatch(q, In|Out, 0)
	_, err := s.Watch(w)
	check(t, "Watch", err == nil)
	check(t, "watched", s.Watched() && s.Wanted() == In|Out)
	s.Unwatch(w)
	check(t, "not watched", !s.Watched() && s.Wanted() == 0)
	s.Wake()
	check(t, "not queued", q.Len() == 0)
}

func TestWatchWants(t *testing.T) {
	s, q := newSocket(), NewQueue()
	w := NewWatch(q, Out, 0)
	s.peer(In)
	ready, err := s.Watch(w)
	check(t, "only what it wants", ready == 0 && err == nil && q.Len() == 0)
	check(t, "Want", w.Want(In) == Out && w.Wanted() == In)
	check(t, "is queued", q.Len() == 1)
	late, err := q.Wait(t.Context(), nil)
	check(t, "and the poll is woken", !late && err == nil)
	check(t, "ready", poll(t, s, q) == In)
}
