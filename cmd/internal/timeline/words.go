package timeline

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const zero = "ms since the close began" // of the axis

func (r Report) heading() string { return "Context made at " + r.MadeAt }

// outcome says in a sentence or two how the close ended.
func (r Report) outcome() string {
	said := "Not closed after "
	if r.Done {
		said = "Closed in "
	}
	said += rounded(time.Duration(r.Took))
	if !r.Deadline.IsZero() {
		said += " of " + rounded(r.Deadline.Sub(r.Began))
	}
	said += "."
	counts := map[string]int{}
	for _, s := range r.Sockets {
		counts[s.Outcome] += max(s.Merged, 1)
	}
	if n := r.Unclosed; n > 0 {
		said += fmt.Sprintf(" %s still had to be closed.", plural(n, "socket"))
	}
	if n := counts[holding]; n > 0 {
		said += fmt.Sprintf(" libzmq still has %s.", plural(n, "socket"))
	}
	if n := counts[ranOut]; n > 0 {
		said += fmt.Sprintf(" LINGER ran out for %s: messages may be lost.", plural(n, "socket"))
	}
	switch n := counts[gone]; {
	case n < len(r.Sockets) || !r.Done:
	case n == 0:
		said += " No socket was left to close."
	case n == 1:
		said += " Its socket is gone."
	default:
		said += fmt.Sprintf(" Its %s are gone.", plural(n, "socket"))
	}
	return said
}

const maxLosses = 6 // lines

// losses says line by line what the bars don't show: what may be lost by
// detaching, and what closed sockets had not received.
func (r Report) losses() (lines []string) {
	for _, d := range r.Detached {
		if d.MayLose > 0 {
			lines = append(lines, fmt.Sprintf("%s at most may be lost by %v.", plural(int(d.MayLose), "message"), d))
		}
		if d.Open > 0 {
			lines = append(lines, fmt.Sprintf("libzmq may still be sending after %v.", d))
		}
	}
	for _, u := range r.Unread {
		atLeast := ""
		if u.AtLeast {
			atLeast = "at least "
		}
		lines = append(lines, fmt.Sprintf("Unread: %s%s, at %s made at %s.", atLeast, plural(int(u.Messages), "message"), plural(u.Sockets, u.Type+" socket"), u.MadeAt))
	}
	if more := len(lines) - maxLosses; more > 1 { // "and 1 more" would take as much room
		lines = append(lines[:maxLosses], fmt.Sprintf("And %s more.", count(more)))
	}
	return lines
}

// String names the call.
func (d Detached) String() string {
	name := "Disconnect"
	if d.Bound {
		name = "Unbind"
	}
	return fmt.Sprintf("%s at %s of a %s socket made at %s (%s)", name, d.At, d.Type, d.MadeAt, strings.Join(d.Endpoints, ", "))
}

// key says what the numbers of the steps mean, and how long each took.
func (r Report) key() (steps []string) {
	for i, s := range r.Steps {
		steps = append(steps, fmt.Sprintf("%d %s %s", i+1, s.Name, rounded(time.Duration(s.Took))))
	}
	return steps
}

// deadlineLabel says when the deadline is, on the scale of the axis.
func (r Report) deadlineLabel() string {
	return "deadline at " + label(math.Round(milliseconds(r.Deadline.Sub(r.Began))), 1) + " ms"
}

// rounded writes a duration with three digits.
func rounded(d time.Duration) string {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}

func count(n int) string { return thousands(strconv.Itoa(n)) }

func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return count(n) + " " + what
}
