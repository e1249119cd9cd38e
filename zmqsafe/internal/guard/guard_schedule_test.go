package guard

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var onlySeed = flag.Int64("seed", -1, "run only this schedule of TestSchedules")

// Thousands of random schedules of a few goroutines on one socket: receivers
// and senders that wait, some of which are cancelled or time out, polls, peers,
// and strangers whose calls consume edges. Whenever everything has come to
// rest, nobody may wait for what is there. Nothing but a wake-up ends a wait,
// so one that is lost is a deadlock, found at once and named by its seed:
//
//	go test ./zmqsafe/internal/guard -run Schedules -seed 4711
func TestSchedules(t *testing.T) {
	schedules := int64(5000)
	if testing.Short() {
		schedules = 1000
	}
	first := int64(0)
	if *onlySeed >= 0 {
		first, schedules = *onlySeed, 1
	}
	for seed := first; seed < first+schedules; seed++ {
		bubble(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := newSchedule(t, uint64(seed))
			s.run()
		})
		if t.Failed() {
			return
		}
	}
}

// schedule is one run of TestSchedules.
type schedule struct {
	*socket
	t       *testing.T
	ctx     context.Context
	calls   sync.WaitGroup
	cancels []context.CancelFunc
	peers   map[Ready]int           // what peers have done
	taken   map[Ready]*atomic.Int64 // by calls
	blocked map[Ready]*atomic.Int64 // calls and polls that have to be served
	resting atomic.Bool             // peers do nothing

	mu   sync.Mutex
	rand *rand.Rand // guarded by mu
	seed uint64
}

func newSchedule(t *testing.T, seed uint64) *schedule {
	s := &schedule{
		socket: newSocket(), t: t, ctx: t.Context(), seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), peers: map[Ready]int{},
		taken:   map[Ready]*atomic.Int64{In: new(atomic.Int64), Out: new(atomic.Int64)},
		blocked: map[Ready]*atomic.Int64{In: new(atomic.Int64), Out: new(atomic.Int64)},
	}
	s.reliable = s.chance(4, 5)
	s.between = func() {
		if s.resting.Load() {
			return
		}
		if s.chance(1, 4) {
			s.event()
		}
		if s.chance(1, 4) {
			s.wake()
		}
	}
	return s
}

// pick returns one of 0 to n-1, chance true in n of m cases.
func (s *schedule) pick(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

func (s *schedule) chance(n, m int) bool { return s.pick(m) < n }

func (s *schedule) dir() Ready { return []Ready{In, Out}[s.pick(2)] }

func (s *schedule) run() {
	steps := []func(){
		s.startCall, s.startCall, s.startPoll, s.event, s.event, s.event, func() { s.wake() }, s.stranger, s.stranger, s.option, s.cancel,
	}
	for range 10 + s.pick(20) {
		steps[s.pick(len(steps))]()
		if s.chance(1, 3) {
			synctest.Wait()
		}
		if s.chance(1, 5) {
			s.rest()
		}
	}
	s.rest()
	closed := time.Now()
	s.Close(errClosed, func() {})
	s.calls.Wait() // a deadlock here is a wait that Close hasn't ended
	if time.Since(closed) != 0 {
		s.t.Errorf("seed %d: Close has not ended all waits at once", s.seed)
	}
	for _, dir := range []Ready{In, Out} {
		if int(s.taken[dir].Load())+s.left(dir) != s.peers[dir] {
			s.t.Errorf("seed %d: direction %d: peers did %d, calls took %d, %d are left", s.seed, dir, s.peers[dir], s.taken[dir].Load(), s.left(dir))
		}
	}
	if receives, sends, polls := s.Waiting(); receives+sends+polls != 0 || s.in.waiting.Load() || s.out.waiting.Load() {
		s.t.Errorf("seed %d: somebody still waits", s.seed)
	}
}

// rest waits until nothing moves, and then looks whether somebody waits for
// what is there.
func (s *schedule) rest() {
	s.resting.Store(true)
	defer s.resting.Store(false)
	synctest.Wait()
	for s.wake() {
		synctest.Wait()
	}
	if !s.reliable {
		time.Sleep(2 * Recheck)
		synctest.Wait()
	}
	for dir, n := range s.blocked {
		if n.Load() > 0 && s.left(dir) > 0 {
			s.t.Fatalf("seed %d: deadlock: a wake-up is lost: %d wait in direction %d, and %d could go on", s.seed, n.Load(), dir, s.left(dir))
		}
	}
}

func (s *schedule) event() {
	dir := s.dir()
	s.mu.Lock()
	s.peers[dir]++
	s.mu.Unlock()
	s.peer(dir)
}

// startCall starts a call that waits. Some can be cancelled, some time out.
func (s *schedule) startCall() {
	dir, ctx, timeout := s.dir(), s.ctx, time.Duration(-1)
	switch s.pick(4) {
	case 0:
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		s.cancels = append(s.cancels, cancel)
	case 1:
		timeout = time.Duration(1+s.pick(3)) * Recheck
	}
	s.calls.Go(func() {
		s.blocked[dir].Add(1)
		defer s.blocked[dir].Add(-1)
		s.count(dir, s.do(ctx, dir, timeout))
	})
}

func (s *schedule) count(dir Ready, err error) bool {
	if err == nil {
		s.taken[dir].Add(1)
	}
	return err == nil
}

// startPoll starts a poll for one direction that takes what it finds, once.
func (s *schedule) startPoll() {
	dir, q := s.dir(), NewQueue()
	if dir == Out && !s.reliable {
		return // it would be told that Out is ready again and again
	}
	w := NewWatch(q, dir, 0)
	s.calls.Go(func() {
		s.blocked[dir].Add(1)
		defer s.blocked[dir].Add(-1)
		defer s.Unwatch(w)
		for {
			ready, err := s.Watch(w)
			if err != nil || ready != 0 && s.count(dir, s.do(s.ctx, dir, 0)) {
				return
			}
			if _, err := q.Wait(s.ctx, nil); err != nil {
				return
			}
			q.Take(nil)
		}
	})
}

// stranger makes a call that doesn't wait.
func (s *schedule) stranger() {
	dir := s.dir()
	s.calls.Go(func() { s.count(dir, s.do(s.ctx, dir, 0)) })
}

// option makes a call such as setting an option: it reads the Events, and wakes
// everybody.
func (s *schedule) option() {
	if s.Lock() == nil {
		s.Events()
		s.Unlock(In | Out)
	}
}

func (s *schedule) cancel() {
	if n := len(s.cancels); n > 0 {
		i := s.pick(n)
		s.cancels[i]()
		s.cancels = slices.Delete(s.cancels, i, i+1)
	}
}
