package guard

import (
	"errors"
	"testing"
	"testing/synctest"
)

func TestStates(t *testing.T) {
	var zero Guard
	zero.Retire(func() bool { t.Error("there is nothing to release"); return true })
	check(t, "a zero Guard isn't closed by anybody", !zero.Close(errClosed, func() {}))

	s := newSocket()
	check(t, "no error while it is open", s.Err() == nil)
	s.Retire(func() bool { t.Error("it is open"); return true })
	noted := 0
	check(t, "the first closes", s.Close(errClosed, func() { noted++ }))
	check(t, "the second doesn't", !s.Close(errors.New("late"), func() { noted++ }))
	check(t, "one note", noted == 1)
	check(t, "Err", s.Err() == errClosed)
	check(t, "Lock", s.Lock() == errClosed)
	check(t, "Do", s.do(t.Context(), In, 0) == errClosed)
	check(t, "Do that waits", s.do(t.Context(), In, -1) == errClosed)
	_, err := s.Watch(NewWatch(NewQueue(), In, 0))
	check(t, "Watch", err == errClosed)
	select {
	case <-s.Done():
	default:
		t.Error("Done is closed")
	}
	better := errors.New("better")
	s.Replace(better)
	check(t, "Replace", s.Lock() == better)

	released := 0
	for _, ok := range []bool{false, true, true} {
		s.Retire(func() bool { released++; return ok })
	}
	check(t, "released until that was true", released == 2)
}

func TestNumber(t *testing.T) {
	first, second := newSocket(), newSocket()
	check(t, "numbers grow", 0 < first.Number() && first.Number() < second.Number())
}

func TestReplaceWhileOpen(t *testing.T) {
	s := newSocket()
	s.Replace(errClosed)
	check(t, "an open guard has no error", s.Err() == nil && s.Lock() == nil)
	s.Unlock(0)
}

// Close ends every wait: with the slot, for it, and of polls.
func TestCloseEndsWaits(t *testing.T) {
	bubble(t, "close", func(t *testing.T) {
		s := newSocket()
		var calls []<-chan error
		for _, dir := range []Ready{In, Out} {
			for range 3 {
				calls = append(calls, s.goDo(t.Context(), dir, -1))
			}
		}
		q := NewQueue()
		w := NewWatch(q, In, 0)
		_, err := s.Watch(w)
		check(t, "Watch", err == nil)
		polled := make(chan error, 1)
		go func() {
			_, err := q.Wait(t.Context(), nil)
			polled <- err
		}()
		synctest.Wait()
		receives, sends, polls := s.Waiting()
		check(t, "all wait", receives == 3 && sends == 3 && polls == 1)
		s.Close(errClosed, func() {
			receives, sends, _ := s.Waiting()
			check(t, "note comes before the waits end", receives == 3 && sends == 3)
		})
		for _, call := range calls {
			expect(t, call, errClosed)
		}
		expect(t, polled, nil)
		check(t, "the watch is queued", q.Len() == 1)
	})
}
