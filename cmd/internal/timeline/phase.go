package timeline

import (
	"math"
	"time"
)

// phase is a part of a socket's life.
type phase int

const (
	open      phase = iota
	woken           // its calls were ended; the context goes on to those of other sockets
	closing         // new calls fail; its zmq_close is due
	lingering       // after zmq_close, libzmq has it
	phases    int   = iota
)

// phaseNames are for the legend, and the classes in style.css.
var phaseNames = [phases]string{"open", "woken", "closing", "lingering"}

// phases returns when each phase of a socket begins, and when the last one
// ends. A phase that the socket didn't have has no length.
func (r Report) phases(s Socket) [phases + 1]time.Time {
	end := r.ended()
	switch {
	case !s.Released.IsZero():
		end = s.Released
	case !s.Closed.IsZero() && s.Outcome != holding:
		end = s.Closed
	}
	closed := earlier(s.Closed, end)
	ended := earlier(s.Woken, closed)
	closeBegins := ended
	if s.Waiting != (waiting{}) {
		closeBegins = closed
		for _, step := range r.Steps {
			if step.Name == "zmq_close" {
				closeBegins = earlier(closeBegins, step.Began)
			}
		}
	}
	times := [...]time.Time{s.Created, ended, closeBegins, closed, end}
	for i := range phases {
		times[i+1] = later(times[i], times[i+1])
	}
	return times
}

// part is a phase on an axis.
type part struct {
	phase    phase
	from, to float64
}

// bar returns the phases of a socket on an axis, from left to right. Even if it
// took next to no time, a phase is drawn, in the shortest length.
func (r Report) bar(s Socket, a axis, shortest float64) (bar []part) {
	times, at := r.phases(s), 0.0
	for p := range phase(phases) {
		if !times[p].Before(times[p+1]) {
			continue
		}
		from := max(a.x(times[p]), at)
		at = max(a.x(times[p+1]), from+shortest)
		bar = append(bar, part{p, from, at})
	}
	at = a.panels[len(a.panels)-1].right
	for i := len(bar) - 1; i >= 0 && bar[i].to > at; i-- {
		bar[i].to, bar[i].from = at, min(bar[i].from, at-shortest)
		at = bar[i].from
	}
	return bar
}

// column is how much of a column of the chart each phase takes, summed up over
// sockets.
type column [phases]float64

// columns returns the columns of a width that many sockets take, and the place
// where the last of them ends.
func (r Report) columns(sockets []Socket, a axis, width float64) (columns []column, end float64) {
	columns = make([]column, int(math.Ceil(a.panels[len(a.panels)-1].right/width)))
	for _, s := range sockets {
		for _, part := range r.bar(s, a, 0) {
			from, to := part.from/width, part.to/width
			end = max(end, part.to)
			for i := int(from); float64(i) < to && i < len(columns); i++ {
				columns[i][part.phase] += min(to, float64(i+1)) - max(from, float64(i))
			}
		}
	}
	return columns, end
}
