package zmqsafetest

import (
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// TestingT is the part of testing.TB that VerifyNone uses.
type TestingT interface {
	Helper()
	Error(args ...any)
}

// What is being closed by another goroutine gets patience to be gone. Nothing tells
// when it is, so it is looked for, often at first.
const (
	patience     = time.Second
	lookEveryMin = time.Millisecond
	lookEveryMax = 100 * time.Millisecond
)

// VerifyNone fails the test if sockets or contexts are open, see Find. It is for the
// end of a test:
//
//	defer zmqsafetest.VerifyNone(t)
//
// The whole process is looked at, so what other tests use meanwhile counts as well:
// it doesn't go together with t.Parallel. VerifyTestMain does.
func VerifyNone(t TestingT, options ...Option) {
	t.Helper()
	if err := Find(options...); err != nil {
		t.Error(err)
	}
}

// Find looks for sockets and contexts of the process that are open, and for contexts
// that are still being closed. The error names them, with the places that made them,
// their endpoints, the calls that are blocked on them, and how to mend it. It is nil
// when there are none.
//
// What is open may be about to be closed by another goroutine: Find looks again for
// a second before it returns an error. It returns nil as soon as nothing is open.
func Find(options ...Option) error {
	var s settings
	for _, option := range options {
		option(&s)
	}
	for end, every := time.Now().Add(patience), lookEveryMin; ; every = min(2*every, lookEveryMax) {
		found := s.leaks(zmqsafe.Contexts())
		switch {
		case len(found) == 0:
			return nil
		case !time.Now().Before(end):
			return found
		}
		time.Sleep(min(every, time.Until(end)))
	}
}

// leak is a context of which something is left.
type leak struct {
	zmqsafe.ContextInfo      // Sockets are those that are leaks
	excused             bool // it may stay open: only its sockets have to go
}

// leaks is what Find returns.
type leaks []leak

func (s *settings) leaks(contexts []zmqsafe.ContextInfo) leaks {
	var found leaks
	for _, c := range contexts {
		l := leak{c, s.ignoresContext(c) || c.Default && c.Closing == nil}
		l.Sockets = s.notIgnored(c.Sockets)
		if len(l.Sockets) > 0 || !l.excused {
			found = append(found, l)
		}
	}
	return found
}
