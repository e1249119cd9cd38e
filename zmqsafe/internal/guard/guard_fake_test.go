package guard

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	errAgain  = errors.New("again")
	errClosed = errors.New("closed")
)

// socket is a fake of libzmq's in what matters to a Guard. Peers put commands
// into its mailbox: "there is a message", "there is room". The first command in
// an empty mailbox gives an edge. Any call processes the mailbox, for both
// directions, and the edge with it.
type socket struct {
	Guard
	reliable bool // Out promises that a send succeeds
	tries    int  // guarded by the Guard's lock

	mu      sync.Mutex    // guards all below
	mailbox map[Ready]int // commands that no call has processed
	have    map[Ready]int // messages to receive, and room for messages to send
	armed   bool
	edge    bool // there, and not yet passed on
	armErr  error
	between func() // runs between a try that failed and reading the Events
}

func newSocket() *socket {
	s := &socket{reliable: true, mailbox: map[Ready]int{}, have: map[Ready]int{}, between: func() {}}
	s.Open(s, errAgain)
	return s
}

func (s *socket) Arm() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.armed = s.armErr == nil
	return s.armErr
}

func (s *socket) Events() (ready Ready) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process()
	for dir, n := range s.have {
		if n > 0 {
			ready |= dir
		}
	}
	if !s.reliable {
		ready |= Out
	}
	return ready
}

func (s *socket) process() {
	for dir, n := range s.mailbox {
		s.have[dir] += n
	}
	clear(s.mailbox)
	s.edge = false
}

// peer makes the socket ready in one direction, for one call.
func (s *socket) peer(dir Ready) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.mailbox) == 0 {
		s.edge = true
	}
	s.mailbox[dir]++
}

// wake is the waker: it passes on the edge, unless a call has consumed it.
func (s *socket) wake() bool {
	s.mu.Lock()
	edge := s.edge && s.armed
	s.edge = s.edge && !edge
	s.mu.Unlock()
	if edge {
		s.Wake()
	}
	return edge
}

// left is what calls in a direction could still take.
func (s *socket) left(dir Ready) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.have[dir] + s.mailbox[dir]
}

// take is libzmq's part of a try.
func (s *socket) take(dir Ready) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.have[dir] == 0 {
		s.process()
	}
	if s.have[dir] == 0 {
		return errAgain
	}
	s.have[dir]--
	return nil
}

// do is a call in one direction, as package zmqsafe makes it.
func (s *socket) do(ctx context.Context, dir Ready, timeout time.Duration) error {
	w := Wait{Dir: dir, Reliable: s.reliable || dir == In, Timeout: timeout}
	return s.Do(ctx, w, func(watched bool) (Ready, error) {
		if s.tries++; s.tries > 1000 {
			panic("the call tries again and again, and nothing has happened")
		}
		err := s.take(dir)
		if err != nil {
			s.between()
		}
		if !watched {
			return 0, err
		}
		return s.Events(), err
	})
}

// goDo is do in a goroutine of its own.
func (s *socket) goDo(ctx context.Context, dir Ready, timeout time.Duration) <-chan error {
	done := make(chan error, 1)
	go func() { done <- s.do(ctx, dir, timeout) }()
	return done
}

// bubble runs f in a synctest bubble. If all its goroutines are blocked for
// good, as after a lost wake-up, it fails and says where that came from.
func bubble(t *testing.T, from any, f func(t *testing.T)) {
	t.Helper()
	defer func() {
		if why := recover(); why != nil {
			t.Fatalf("%v: %v", from, why)
		}
	}()
	synctest.Test(t, f)
}
