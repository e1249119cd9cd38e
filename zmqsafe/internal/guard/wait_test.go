package guard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func check(t *testing.T, what string, ok bool) {
	t.Helper()
	if !ok {
		t.Error(what)
	}
}

// expect waits for the end of a call, which must come without any time passing.
func expect(t *testing.T, done <-chan error, want error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-done:
		if err != want {
			t.Errorf("the call returned %v, want %v", err, want)
		}
	default:
		t.Fatalf("the call still waits, want %v", want)
	}
}

// A call in one direction consumes the edge that a waiter in the other waits
// for, and passes it on.
func TestCallsPassOnWhatTheyLearn(t *testing.T) {
	for dir, opposite := range map[Ready]Ready{In: Out, Out: In} {
		bubble(t, dir, func(t *testing.T) {
			s := newSocket()
			waiter := s.goDo(t.Context(), dir, -1)
			synctest.Wait()
			s.peer(dir) // and the waker doesn't get to it
			expect(t, s.goDo(t.Context(), opposite, 0), errAgain)
			expect(t, waiter, nil)
		})
	}
}

// The same between two that wait: what makes the one try again is meant for the
// other.
func TestWaitersPassOnWhatTheyLearn(t *testing.T) {
	for dir, opposite := range map[Ready]Ready{In: Out, Out: In} {
		bubble(t, dir, func(t *testing.T) {
			s := newSocket()
			waiter := s.goDo(t.Context(), dir, -1)
			synctest.Wait()
			ctx, cancel := context.WithCancel(t.Context())
			opponent := s.goDo(ctx, opposite, -1)
			synctest.Wait()
			s.peer(dir)
			s.Unlock(lock(t, s, opposite))
			expect(t, waiter, nil)
			cancel()
			expect(t, opponent, context.Canceled)
		})
	}
}

// lock enters s, and returns ready.
func lock(t *testing.T, s *socket, ready Ready) Ready {
	t.Helper()
	if err := s.Lock(); err != nil {
		t.Fatal(err)
	}
	return ready
}

// What happens between a try and the wait isn't lost: an edge while nobody else
// waits, and readiness that the waiter itself has read, which gives no edge.
func TestReadySinceTheTry(t *testing.T) {
	for dir, opposite := range map[Ready]Ready{In: Out, Out: In} {
		for _, others := range []bool{false, true} {
			bubble(t, dir, func(t *testing.T) {
				s := newSocket()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if others {
					s.goDo(ctx, opposite, -1)
					synctest.Wait()
				}
				tried := 0
				s.between = func() {
					if tried++; tried == 2 { // the first is before it waits
						s.peer(dir)
						s.wake()
					}
				}
				expect(t, s.goDo(t.Context(), dir, -1), nil)
			})
		}
	}
}

// Several wait in one direction: each of them gets its turn at the socket.
func TestSlotIsHandedOn(t *testing.T) {
	bubble(t, "slot", func(t *testing.T) {
		s := newSocket()
		ctx, cancel := context.WithCancel(t.Context())
		givesUp := s.goDo(ctx, In, -1)
		synctest.Wait()
		var calls []<-chan error
		for range 3 {
			calls = append(calls, s.goDo(t.Context(), In, -1))
		}
		synctest.Wait()
		receives, sends, polls := s.Waiting()
		check(t, "Waiting counts all", receives == 4 && sends == 0 && polls == 0)
		cancel()
		expect(t, givesUp, context.Canceled)
		for range calls {
			s.peer(In)
			synctest.Wait()
			s.wake()
			synctest.Wait()
		}
		for _, call := range calls {
			expect(t, call, nil)
		}
		receives, _, _ = s.Waiting()
		check(t, "Waiting counts nobody who is out", receives == 0)
	})
}

func TestTimeout(t *testing.T) {
	bubble(t, "timeout", func(t *testing.T) {
		for _, reliable := range []bool{true, false} {
			s := newSocket()
			s.reliable = reliable
			for _, timeout := range []time.Duration{0, 3 * time.Second, 3*time.Second + 7*time.Millisecond} {
				start := time.Now()
				first, second := s.goDo(t.Context(), Out, timeout), s.goDo(t.Context(), Out, timeout) // with the slot, and for it
				for _, call := range []<-chan error{first, second} {
					check(t, "again", <-call == errAgain)
					check(t, "after the time-out", time.Since(start) == timeout)
				}
				s.tries = 0
			}
		}
	})
}

// A context ends a wait with the slot and one for it, and the call takes
// nothing.
func TestContextEndsWaits(t *testing.T) {
	bubble(t, "context", func(t *testing.T) {
		s := newSocket()
		ctx, cancel := context.WithCancel(t.Context())
		first, second := s.goDo(ctx, In, -1), s.goDo(ctx, In, -1)
		synctest.Wait()
		cancel()
		expect(t, first, context.Canceled)
		expect(t, second, context.Canceled)
		s.peer(In)
		s.wake()
		synctest.Wait()
		check(t, "the message is still there", s.left(In) == 1)
	})
}

// So do they while somebody else has the slot, who waits on.
func TestWaitsForTheSlotEnd(t *testing.T) {
	bubble(t, "slot", func(t *testing.T) {
		s := newSocket()
		holder := s.goDo(t.Context(), In, -1)
		synctest.Wait()
		start := time.Now()
		check(t, "again", <-s.goDo(t.Context(), In, time.Second) == errAgain)
		check(t, "after the time-out", time.Since(start) == time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		queued := s.goDo(ctx, In, -1)
		synctest.Wait()
		cancel()
		expect(t, queued, context.Canceled)
		s.peer(In)
		s.wake()
		expect(t, holder, nil)
	})
}

// Out of a ROUTER says little: a sender tries now and then, and doesn't spin.
func TestUnreliableOut(t *testing.T) {
	bubble(t, "unreliable", func(t *testing.T) {
		s := newSocket()
		s.reliable = false
		sender, receiver := s.goDo(t.Context(), Out, -1), s.goDo(t.Context(), In, -1)
		synctest.Wait()
		check(t, "few tries", s.tries < 10)
		s.peer(Out)
		_ = s.Events() // the edge is gone, and nobody passes it on
		time.Sleep(Recheck)
		expect(t, sender, nil)
		s.peer(In)
		s.wake()
		expect(t, receiver, nil)
	})
}

// The first try of a call that has Tried is the one that waits.
func TestTried(t *testing.T) {
	bubble(t, "tried", func(t *testing.T) {
		s := newSocket()
		tries := 0
		try := func(bool) (Ready, error) { tries++; return 0, errAgain }
		check(t, "again", s.Do(t.Context(), Wait{Dir: In, Tried: true}, try) == errAgain)
		check(t, "no try", tries == 0)
		check(t, "again", s.Do(t.Context(), Wait{Dir: In, Reliable: true, Timeout: 1, Tried: true}, try) == errAgain)
		check(t, "one try", tries == 1)
	})
}

// A resource that can't be armed ends the call: it could wait for ever.
func TestArmFails(t *testing.T) {
	bubble(t, "arm", func(t *testing.T) {
		s := newSocket()
		s.armErr = errors.New("no descriptor left")
		expect(t, s.goDo(t.Context(), In, 0), errAgain)
		expect(t, s.goDo(t.Context(), In, -1), s.armErr)
		_, err := s.Watch(NewWatch(NewQueue(), In, 0))
		check(t, "Watch fails", err == s.armErr)
		check(t, "nobody watches", !s.Watched())
		s.armErr = nil
		waiter := s.goDo(t.Context(), In, -1)
		synctest.Wait()
		s.peer(In)
		s.wake()
		expect(t, waiter, nil)
	})
}

// Nobody waits, so nobody is woken, and a call need not read the Events.
func TestNobodyWaits(t *testing.T) {
	s := newSocket()
	check(t, "not watched", !s.Watched())
	s.peer(In)
	if err := s.do(t.Context(), In, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.do(t.Context(), In, time.Nanosecond); err != errAgain {
		t.Fatal(err)
	}
	check(t, "not watched after a wait", !s.Watched())
	s.Wake()
	tokens := len(s.in.parker.(*tokenParker).token) + len(s.out.parker.(*tokenParker).token)
	check(t, "no token is left", tokens == 0)
}
