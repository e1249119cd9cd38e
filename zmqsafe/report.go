package zmqsafe

import (
	"runtime"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Report tells how a context was closed, or how far that has come: see
// Context.Report. It prints as a table, logs as a group of attributes with package
// log/slog, and marshals to JSON.
type Report struct {
	Site       string         // where the program made the context, "dir/file.go:42"
	Began      time.Time      // zero before Close
	Deadline   time.Time      // of the first Close or Shutdown; zero: none
	Took       time.Duration  // until all was done, or until now
	Done       bool           // zmq_ctx_term has returned, and all is free
	Steps      []Step         // in order; see "Closing" in the package documentation
	Sockets    []ClosedSocket // in the order of zmq_close
	Unclosed   int            // how many sockets still have to be closed
	CloseError string         // what Close returned once it was done; empty for nil
}

// Step is one step of closing a context. The last one may be under way.
type Step struct {
	Name  string
	Began time.Time
	Took  time.Duration
}

// ClosedSocket tells how one socket was closed, and what became of it.
//
// A socket that the program closed itself is in the report of its context if
// libzmq still had it when the context was closed, and may have had something to
// send.
type ClosedSocket struct {
	SocketInfo               // as it was when it was closed
	Lingers    linger.Policy // LINGER at zmq_close: that of SocketInfo, or what the deadline made of it
	Woken      time.Time     // when calls on it were ended
	Closed     time.Time     // when zmq_close was called
	Gone       time.Time     // when libzmq had no more of it, as it was noticed; zero: not yet
	Outcome    Outcome
}

// Outcome is what became of a socket after its zmq_close.
type Outcome uint8

const (
	// Holding says that libzmq still has the socket: it has messages to send, or its
	// thread is busy with something else, such as looking up a host name.
	Holding Outcome = iota
	// Gone says that libzmq was done with the socket before its linger was over, or had
	// nothing to send: what it had accepted was handed to the network. What libzmq
	// drops by its own rules counts as handed over: messages for a peer that goes or
	// refuses the connection, and for an inproc peer that doesn't read them or was
	// never there. With LINGER 0 all may have been discarded.
	Gone
	// RanOut says that the linger was over first, or that it wasn't noticed in time that
	// it wasn't: messages may be lost. A socket that has accepted none never does.
	RanOut
)

// Report tells how the context was closed, and while that is under way, how far it
// has come: after a Shutdown that gave up, which sockets hold it. Before Close it is
// the zero Report. It never blocks.
//
// It is also logged, as the attribute "report": at slog.LevelDebug, or with the
// warning that something went wrong.
func (ctx *Context) Report() Report {
	c, err := ctx.core()
	if err != nil {
		return Report{}
	}
	defer runtime.KeepAlive(ctx)
	return c.report()
}

func (c *contextState) report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == open {
		return Report{}
	}
	r := Report{
		Site: c.made.String(), Began: c.began, Deadline: c.deadline, Took: c.took,
		Done: c.state == closed, Steps: slices.Clone(c.steps), Unclosed: c.unclosedLocked(),
	}
	if !r.Done {
		now := time.Now()
		r.Took = now.Sub(r.Began)
		if last := len(r.Steps) - 1; last >= 0 && r.Steps[last].Took == 0 {
			r.Steps[last].Took = now.Sub(r.Steps[last].Began)
		}
	} else if c.closeErr != nil {
		r.CloseError = c.closeErr.Error()
	}
	for _, l := range c.lingering {
		r.Sockets = append(r.Sockets, l.report())
	}
	return r
}

// unclosed counts the program's sockets that still have to be closed.
func (c *contextState) unclosed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unclosedLocked()
}

func (c *contextState) unclosedLocked() int { return len(c.sockets) - c.internals }

// RanOut lists the sockets whose linger was over before libzmq had sent all: their
// messages may be lost.
func (r Report) RanOut() []ClosedSocket { return r.with(RanOut) }

// Holding lists the sockets that libzmq still had when the report was made.
func (r Report) Holding() []ClosedSocket { return r.with(Holding) }

func (r Report) with(o Outcome) []ClosedSocket {
	var some []ClosedSocket
	for _, s := range r.Sockets {
		if s.Outcome == o {
			some = append(some, s)
		}
	}
	return some
}
