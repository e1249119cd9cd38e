package debugpage

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// closingPart is how far the closing of a context has come.
type closingPart struct {
	Headline string
	Overdue  bool
	Steps    []stepRow
	Sockets  []closedRow // those that matter first
	More     int         // sockets that aren't listed
}

type closedRow struct {
	zmqsafe.ClosedSocket
	Holds bool
	For   time.Duration // how long libzmq had it, or has had it so far, after zmq_close
}

type stepRow struct {
	Name    string
	Took    time.Duration
	Current bool
}

func newClosing(now time.Time, r *zmqsafe.Report) *closingPart {
	if r == nil {
		return nil
	}
	holding, ranOut := r.Holding(), r.RanOut()
	c := &closingPart{Headline: "being closed for " + short(r.Took)}
	if !r.Deadline.IsZero() {
		left := r.Deadline.Sub(now)
		if c.Overdue = left < 0; c.Overdue {
			c.Headline += fmt.Sprintf(", and should have been done %s ago", short(-left))
		} else {
			c.Headline += fmt.Sprintf(", and has %s left", short(left))
		}
	}
	if r.Unclosed > 0 {
		c.Headline += fmt.Sprintf("; %s still to be closed", areOf(r.Unclosed, "socket"))
	}
	if len(holding) > 0 {
		c.Headline += "; libzmq still has " + count(len(holding), "socket")
		if len(holding) == 1 {
			c.Headline += ", " + holding[0].String()
		}
	}
	if len(ranOut) > 0 {
		c.Headline += "; LINGER ran out for " + count(len(ranOut), "socket") + ", so messages may be lost"
	}
	for i, s := range r.Steps {
		c.Steps = append(c.Steps, stepRow{s.Name, s.Took, i == len(r.Steps)-1})
	}
	sockets := slices.SortedStableFunc(slices.Values(r.Sockets), func(a, b zmqsafe.ClosedSocket) int {
		return cmp.Compare(urgency[a.Outcome], urgency[b.Outcome])
	})
	shown := min(len(sockets), maxUngrouped)
	c.More = len(sockets) - shown
	for _, s := range sockets[:shown] {
		row := closedRow{s, s.Outcome == zmqsafe.Holding, s.Gone.Sub(s.Closed)}
		if s.Gone.IsZero() {
			row.For = now.Sub(s.Closed)
		}
		c.Sockets = append(c.Sockets, row)
	}
	return c
}

var urgency = map[zmqsafe.Outcome]int{zmqsafe.Holding: 0, zmqsafe.RanOut: 1, zmqsafe.Gone: 2}
