package guard

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/zmqsafe/zmq-exit/internal/mutant"
)

// event is one of those of model/trace.pml.
type event struct{ kind, who, what int }

const (
	enter    = iota + 1 // a call begins. what: 1 for Out, 2 if it may wait, 4 if it may time out; of a poll: 1 for Out
	inside              // its try begins. what: whether somebody else waits
	tried               // its try ends. what: 4 if it took something, and what the resource is ready for
	park                // it parks
	parked              // Park has returned. what: as for leave, but 1 is any deadline
	leave               // a call ends. what: 0, or why it failed
	unpark              // of direction what is called
	edge                // the waker has an edge
	arrive              // a peer does something in direction what
	cancels             // the context of who is about to be done
	shut                // Close begins
	closes              // the first Close has the lock
	shuts               // Close has ended
	retire              // Retire begins
	releases            // release is called
	look                // a poll looks at the resource
	seen                // and has seen what it is ready for
	rest                // nobody can go on before something else happens
)

// pollWho is the who of the poll; callers are 0 to 2.
const pollWho = 3

var kinds = []string{
	"", "enter", "inside", "tried", "park", "parked", "leave", "unpark", "edge", "arrive", "cancels", "shut", "close", "shuts", "retire", "release", "look", "seen", "rest",
}

func (e event) String() string { return fmt.Sprintf("%s %d %d", kinds[e.kind], e.who, e.what) }

// code is what model/trace.pml reads.
func (e event) code() int { return e.kind<<6 + e.who<<3 + e.what }

// traced is a socket on which a random program runs that is recorded. Some
// goroutines call, one polls, one is the waker, and one does everything else.
type traced struct {
	*socket
	queue *Queue
	watch *Watch

	recorder sync.Mutex
	events   []event // guarded by recorder

	edges chan struct{} // the waker must look
	rand  [lockRand + 1]*rand.Rand
}

// Each goroutine has its own random numbers, and so has who holds the lock.
const (
	wakerRand = pollWho + 1 + iota
	lockRand
)

type whoKey struct{}

func who(ctx context.Context) int { return ctx.Value(whoKey{}).(int) }

func (s *traced) add(kind, who, what int) {
	s.recorder.Lock()
	defer s.recorder.Unlock()
	if len(s.events) == 2000 {
		panic("the program does one thing again and again")
	}
	s.events = append(s.events, event{kind, who, what})
}

// pause lets others run, now and then.
func (s *traced) pause(who int) {
	if s.rand[who].IntN(3) == 0 {
		runtime.Gosched()
	}
}

func bit(b bool, value int) int {
	if b {
		return value
	}
	return 0
}

// failure is a number for what a call, a Park or a Wait returns.
func failure(err error) int {
	switch err {
	case nil:
		return 0
	case errAgain, ErrExpired:
		return 1
	case context.Canceled:
		return 2
	case errClosed:
		return 3
	}
	panic(err)
}

// recordedParker is a Parker whose use is recorded.
type recordedParker struct {
	Parker
	s   *traced
	dir Ready
}

func (p recordedParker) Park(ctx context.Context, until time.Time) error {
	p.s.add(park, who(ctx), 0)
	p.s.pause(who(ctx))
	err := p.Parker.Park(ctx, until)
	p.s.add(parked, who(ctx), failure(err))
	return err
}

func (p recordedParker) Unpark() {
	p.s.add(unpark, 0, index(p.dir))
	p.Parker.Unpark()
}

// index is the model's number of a direction.
func index(dir Ready) int { return int(dir) - 1 }

func newTraced(seed uint64) *traced {
	s := &traced{socket: newSocket(), queue: NewQueue(), edges: make(chan struct{}, 1)}
	s.Open(s, errAgain)
	s.directions(In) // makes the parkers
	s.in.parker = recordedParker{s.in.parker, s, In}
	s.out.parker = recordedParker{s.out.parker, s, Out}
	for i := range s.rand {
		s.rand[i] = rand.New(rand.NewPCG(seed, uint64(i)))
	}
	return s
}

// Events lets peers act, and others go on, after it has read.
func (s *traced) Events() Ready {
	ready := s.socket.Events()
	if r := s.rand[lockRand]; r.IntN(8) == 0 {
		s.peer(Ready(1 + r.IntN(2)))
	}
	s.pause(lockRand)
	return ready
}

// Arm and peer let the waker look whether there is an edge for it.
func (s *traced) Arm() error {
	defer s.look()
	return s.socket.Arm()
}

func (s *traced) peer(dir Ready) {
	defer s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edge = s.edge || len(s.mailbox) == 0
	s.mailbox[dir]++
	s.add(arrive, 0, index(dir))
}

func (s *traced) look() {
	select {
	case s.edges <- struct{}{}:
	default:
	}
}

func (s *traced) waker() {
	for range s.edges {
		s.pause(wakerRand)
		s.mu.Lock()
		found := s.edge && s.armed
		s.edge = s.edge && !found
		s.mu.Unlock()
		if found {
			s.add(edge, 0, 0)
			s.Wake()
		}
	}
}

func (s *traced) call(ctx context.Context, who int, w Wait) error {
	s.add(enter, who, index(w.Dir)+bit(w.Timeout != 0, 2)+bit(w.Timeout > 0, 4))
	err := s.do(ctx, who, w)
	s.add(leave, who, failure(err))
	return err
}

func (s *traced) do(ctx context.Context, who int, w Wait) error {
	return s.Do(context.WithValue(ctx, whoKey{}, who), w, func(watched bool) (ready Ready, err error) {
		s.add(inside, who, bit(watched, 1))
		s.pause(who)
		err = s.take(w.Dir)
		if watched {
			ready = s.Events()
		}
		s.add(tried, who, bit(err == nil, 4)+int(ready))
		return ready, err
	})
}

// caller makes some calls.
func (s *traced) caller(ctx context.Context, who int) {
	r := s.rand[who]
	for range 1 + r.IntN(2) {
		w := Wait{Dir: Ready(1 + r.IntN(2)), Timeout: -1}
		w.Reliable = s.reliable || w.Dir == In
		switch r.IntN(4) {
		case 0:
			w.Timeout = 0
		case 1:
			w.Timeout = time.Duration(1+r.IntN(3)) * Recheck
		}
		_ = s.call(ctx, who, w)
		s.pause(who)
	}
}

// poller polls, as a Poller does, and receives or sends what it has found.
func (s *traced) poller(ctx context.Context, dir Ready) {
	s.add(enter, pollWho, index(dir))
	s.queue.Push(s.watch)
	err := s.poll(ctx, dir)
	s.Unwatch(s.watch)
	s.queue.Remove(s.watch)
	s.add(leave, pollWho, failure(err))
}

func (s *traced) poll(ctx context.Context, dir Ready) error {
	for {
		if len(s.queue.Take(nil)) > 0 {
			s.add(look, pollWho, 0)
			ready, err := s.Watch(s.watch)
			if err != nil {
				return err
			}
			s.add(seen, pollWho, int(ready))
			if ready != 0 {
				if err := s.do(context.Background(), pollWho, Wait{Dir: dir}); err != errAgain {
					return err
				}
				continue
			}
		}
		s.add(park, pollWho, 0)
		s.pause(pollWho)
		_, err := s.queue.Wait(ctx, nil)
		s.add(parked, pollWho, failure(err))
		if err != nil {
			return err
		}
	}
}

func (s *traced) rest() {
	synctest.Wait()
	s.add(rest, 0, 0)
}

// program runs everything, and returns what was recorded.
func (s *traced) program(ctx context.Context, seed uint64) []event {
	r := rand.New(rand.NewPCG(seed, 99))
	s.reliable = r.IntN(4) > 0
	var all, waker sync.WaitGroup
	var ends []func()
	for i := range pollWho {
		mine, cancel := context.WithCancel(ctx)
		ends = append(ends, func() { s.add(cancels, i, 0); cancel() })
		all.Go(func() { s.caller(mine, i) })
	}
	mine, cancel := context.WithCancel(ctx)
	ends = append(ends, func() { s.add(cancels, pollWho, 0); cancel() })
	if r.IntN(2) == 0 {
		dir := Ready(1 + r.IntN(2))
		if !s.reliable {
			dir = In // it would be told that Out is ready again and again
		}
		s.watch = NewWatch(s.queue, dir, 0)
		all.Go(func() { s.poller(mine, dir) })
	}
	waker.Go(s.waker)
	for range 3 + r.IntN(8) {
		switch r.IntN(8) {
		case 0:
			i := r.IntN(len(ends))
			ends[i]()
		case 1, 2:
			s.rest()
		case 3:
			runtime.Gosched()
		default:
			s.peer(Ready(1 + r.IntN(2)))
		}
	}
	if r.IntN(3) > 0 {
		s.rest()
	}
	s.add(shut, 0, 0)
	s.Close(errClosed, func() { s.add(closes, 0, 0) })
	s.add(shuts, 0, 0)
	s.add(retire, 0, 0)
	s.Retire(func() bool { s.add(releases, 0, 0); return true })
	all.Wait()
	s.rest()
	close(s.edges)
	waker.Wait()
	for _, cancel := range ends {
		cancel()
	}
	return s.events
}

// TestTraces records random programs on the guard, and has the model replay
// them: each must be a path of it.
func TestTraces(t *testing.T) {
	needSpin(t)
	batches := 1
	if *modelForm == "full" {
		batches = 200
	}
	began := time.Now()
	var events, stuck atomic.Int64
	pan := buildModel(t, mutant.Mutant{}, []string{"TRACE", "RECEIVERS=3", "SENDERS=0", "POLLS=1"}, []string{"-DSAFETY", "-DNOREDUCE", "-O2"})
	t.Run("all", func(t *testing.T) {
		for batch := range batches {
			t.Run(fmt.Sprint(batch), func(t *testing.T) {
				t.Parallel()
				recorded := record(t, uint64(batch)*batchSize)
				for i, done := range replay(t, pan, recorded) {
					all := recorded[i].events
					events.Add(int64(len(all)))
					if done == len(all) {
						continue
					}
					if stuck.Add(1) <= 3 {
						t.Errorf("seed %d: what the guard did is no path of the model, which can't do the last of these events (kinds are explained in guard_trace_test.go):\n%s",
							recorded[i].seed, describe(all[:done+1]))
					}
				}
			})
		}
	})
	verdict := "all are paths of the model"
	if n := stuck.Load(); n > 0 {
		verdict = fmt.Sprintf("%d AREN'T PATHS OF THE MODEL", n)
		t.Error(verdict)
	}
	fmt.Printf("\ntraces of the guard: %d with %d events, %.1f s: %s\n", batches*batchSize, events.Load(), time.Since(began).Seconds(), verdict)
}

// batchSize is how many traces one process replays.
const batchSize = 500

// trace is one program, as it was recorded.
type trace struct {
	seed     uint64
	reliable bool
	events   []event
}

func record(t *testing.T, seed uint64) (recorded []trace) {
	for range batchSize {
		bubble(t, fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := newTraced(seed)
			events := s.program(t.Context(), seed)
			recorded = append(recorded, trace{seed, s.reliable, events})
		})
		seed++
	}
	return recorded
}

// replay returns how many events of each trace the model can do.
func replay(t *testing.T, pan string, recorded []trace) (done []int) {
	t.Helper()
	var in bytes.Buffer
	for _, r := range recorded {
		fmt.Fprint(&in, bit(r.reliable, 1))
		for _, e := range r.events {
			fmt.Fprint(&in, " ", e.code())
		}
		fmt.Fprintln(&in)
	}
	out := runIn(t, filepath.Dir(pan), &in, pan, "-E", "-m100000", "-w20")
	if strings.Contains(out, "errors: 0") && completed(out) {
		for line := range strings.Lines(out) {
			var i, n int
			if _, err := fmt.Sscanf(line, "trace %d: %d", &i, &n); err == nil && i == len(done) {
				done = append(done, n)
			}
		}
	}
	if len(done) != len(recorded) {
		t.Fatalf("spin didn't replay the traces:\n%s", out[max(0, len(out)-5000):])
	}
	return done
}

func describe(events []event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintln(&b, "   ", e)
	}
	return b.String()
}
