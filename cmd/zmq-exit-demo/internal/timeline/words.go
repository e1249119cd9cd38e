package timeline

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// heading names the context. several says that more than one process is drawn.
func (c Context) heading(several bool) string {
	s := "Context made at " + c.Site
	if several {
		s += fmt.Sprintf(", in process %d", c.Process)
	}
	return s
}

// ending says in a few words what became of a socket.
func (c Context) ending(s Socket) (string, mark) {
	switch {
	case s.Outcome == Gone:
		return "gone after " + rounded(s.Gone.Sub(s.Closed)), goneMark
	case s.Outcome == RanOut:
		return "ran out at " + s.Lingers, ranOutMark
	case s.Outcome == Holding:
		return "still held", holdingMark
	case s.About:
		return "program closed it", goneMark
	}
	return "never closed", noMark
}

// outcome says in a sentence or two what came of the context.
func (c Context) outcome() string {
	var held, ranOut int
	for _, s := range c.Sockets {
		switch s.Outcome {
		case Holding:
			held++
		case RanOut:
			ranOut++
		}
	}
	took := rounded(c.Ended.Sub(c.Began))
	if !c.Deadline.IsZero() {
		took += " of " + rounded(c.Deadline.Sub(c.Began))
	}
	var said string
	switch {
	case c.Began.IsZero() && c.Done:
		said = "Closed; how isn't known."
	case c.Began.IsZero():
		return "Not closed when the program ended."
	case c.Done:
		said = "Closed in " + took + "."
	default:
		said = "Not closed when the program ended, after " + took + "."
	}
	if held > 0 {
		said += fmt.Sprintf(" libzmq still has %s.", sockets(held))
	}
	if ranOut > 0 {
		said += fmt.Sprintf(" LINGER ran out for %s: messages may be lost.", sockets(ranOut))
	}
	switch {
	case held > 0 || ranOut > 0:
	case c.Done && len(c.Sockets) == 1:
		said += " Its socket is gone."
	case c.Done && len(c.Sockets) > 1:
		said += fmt.Sprintf(" Its %s are gone.", sockets(len(c.Sockets)))
	}
	return said
}

// zero says where the axis has its zero.
func (c Context) zero() string {
	if c.Began.IsZero() {
		return "ms since it was made"
	}
	return "ms since the close began"
}

func sockets(n int) string {
	if n == 1 {
		return "1 socket"
	}
	return count(n) + " sockets"
}

// subtitle says what was run, and how it ended.
func (r Recording) subtitle() string {
	return fmt.Sprintf("The guarded program with libzmq %s; outcome: %s", r.Libzmq, r.Outcome)
}

// several reports whether there are contexts of more than one process.
func (r Recording) several() bool {
	for _, c := range r.Contexts {
		if c.Process != r.Contexts[0].Process {
			return true
		}
	}
	return false
}

// key says what the numbers of the steps mean, and how long each took.
func (c Context) key() []string {
	var steps []string
	for i, s := range c.Steps {
		steps = append(steps, fmt.Sprintf("%d %s %s", i+1, s.Name, rounded(s.Ended.Sub(s.Began))))
	}
	return steps
}

// deadlineLabel says when the deadline is, on the scale of the axis.
func (c Context) deadlineLabel() string {
	return "deadline at " + label(math.Round(milliseconds(c.Deadline.Sub(c.Began))), 1) + " ms"
}

// details says all that is known of a socket, line by line.
func (c Context) details(s Socket) string {
	lines := []string{fmt.Sprintf("%s made at %s", s.Type, s.Site)}
	if len(s.Endpoints) > 0 {
		lines = append(lines, strings.Join(s.Endpoints, ", "))
	}
	lines = append(lines, fmt.Sprintf("LINGER %s; messages accepted: %d, received: %d", s.Linger, s.Accepted, s.Received))
	if s.Woke != "" {
		lines = append(lines, "its end woke "+s.Woke)
	}
	note, _ := c.ending(s)
	return strings.Join(append(lines, note), "\n")
}

// rounded writes a duration with three digits.
func rounded(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}
