package timeline

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// axis places times on a line. A program may live for days and close in a
// millisecond, so the axis may be broken into two panels, each with its own
// scale: the life before, and the close.
type axis struct {
	zero   time.Time // the close began
	panels []panel
}

type panel struct {
	from, to    time.Time
	left, right float64
}

const (
	lifeShare = 0.28 // of the width, for the first of two panels
	unbroken  = 3    // an axis isn't broken if the life was at most this many times as long as the close
)

// newAxis makes an axis of a width, with a gap if it is broken.
func newAxis(r Report, width, gap float64) axis {
	end := r.ended()
	for _, s := range r.Sockets {
		end = later(end, s.Released)
	}
	if r.Deadline.Sub(r.Began) <= end.Sub(r.Began)*3/2 { // it is worth the room
		end = later(end, r.Deadline)
	}
	first := r.Began // that is drawn in the second panel
	for _, s := range r.Sockets {
		// Programs often close a socket just before the context.
		if at := earlier(s.Woken, s.Closed); !at.IsZero() && r.Began.Sub(at) <= end.Sub(r.Began) {
			first = earlier(first, at)
		}
	}
	created := r.created()
	if float64(first.Sub(created)) <= unbroken*float64(end.Sub(first)) {
		return axis{r.Began, []panel{padded(created, end, 0, width)}}
	}
	life := math.Floor(lifeShare * width)
	second := padded(first, end, life+gap, width)
	return axis{r.Began, []panel{{created, second.from, 0, life}, second}}
}

// padded returns a panel with a little room before and after.
func padded(from, to time.Time, left, right float64) panel {
	pad := max(to.Sub(from)/25, time.Microsecond)
	return panel{from.Add(-pad), to.Add(pad), left, right}
}

// x returns the place of a time, which is an end of the axis if the time isn't
// on it.
func (a axis) x(t time.Time) float64 {
	last := a.panels[len(a.panels)-1]
	for _, p := range a.panels {
		if !t.After(p.to) || p == last {
			share := float64(t.Sub(p.from)) / float64(p.to.Sub(p.from))
			return p.left + min(max(share, 0), 1)*(p.right-p.left)
		}
	}
	return last.right
}

// shows reports whether a time is on the axis.
func (a axis) shows(t time.Time) bool {
	return !t.Before(a.panels[0].from) && !t.After(a.panels[len(a.panels)-1].to)
}

// tick is a mark of the scale.
type tick struct {
	x     float64
	label string // milliseconds
}

// ticks returns marks at round values with room between them, at least one in
// each panel.
func (a axis) ticks(room float64) []tick {
	var all []tick
	for _, p := range a.panels {
		from, to := milliseconds(p.from.Sub(a.zero)), milliseconds(p.to.Sub(a.zero))
		step := roundUp((to - from) * room / (p.right - p.left))
		step = min(step, roundUp(max(-from, to)/2.5)) // from a round number to the next is 2.5 times at most
		for n := math.Ceil(from / step); n*step <= to; n++ {
			at := a.zero.Add(time.Duration(n * step * float64(time.Millisecond)))
			all = append(all, tick{a.x(at), label(n*step, step)})
		}
	}
	return all
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// roundUp returns the next number that is 1, 2 or 5 times a power of ten.
func roundUp(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= v*0.999 {
			return m * power
		}
	}
	return 10 * power
}

// label writes milliseconds with the decimals that the step needs.
func label(ms, step float64) string {
	if math.Abs(ms) < step/2 {
		return "0"
	}
	decimals := max(0, -int(math.Floor(math.Log10(step*1.001))))
	text := strconv.FormatFloat(math.Abs(ms), 'f', decimals, 64)
	whole, fraction, hasFraction := strings.Cut(text, ".")
	if hasFraction {
		fraction = "." + fraction
	}
	text = thousands(whole) + fraction
	if ms < 0 {
		text = "−" + text
	}
	return text
}

func thousands(digits string) string {
	if len(digits) <= 3 {
		return digits
	}
	return thousands(digits[:len(digits)-3]) + "," + digits[len(digits)-3:]
}
