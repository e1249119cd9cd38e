package timeline

import "time"

// phase is a part of a socket's life.
type phase int

const (
	open      phase = iota
	blocked         // calls are blocked on it
	woken           // its calls were ended; the context goes on to end those of the others
	closing         // new calls fail; its zmq_close is due
	lingering       // after zmq_close, libzmq has it
	phases    int   = iota
)

// phaseNames are for the legend, and the classes in svgStyle.
var phaseNames = [phases]string{"open", "blocked", "woken", "closing", "lingering"}

// span is a time in which a socket is in a phase.
type span struct {
	phase    phase
	from, to time.Time
}

// zmqClose is the step of a close in which the context closes its sockets.
const zmqClose = "zmq_close"

// spans returns the phases of a socket, in order and without gaps.
func (c Context) spans(s Socket) []span {
	var spans []span
	add := func(p phase, from, to time.Time) {
		last := len(spans) - 1
		switch {
		case !from.Before(to):
		case last >= 0 && spans[last].phase == p:
			spans[last].to = to
		default:
			spans = append(spans, span{p, from, to})
		}
	}
	end := s.end(c)
	closeDue := earlier(s.Closed, end)
	inUse := earlier(s.Woken, closeDue)

	at := s.Created
	for _, b := range s.Blocked {
		from := later(b.From, at)
		add(open, at, from)
		add(blocked, from, b.To)
		at = later(at, b.To)
	}
	add(open, at, inUse)
	if s.Woke != "" {
		turn := closeDue // when the context begins to close sockets
		for _, step := range c.Steps {
			if step.Name == zmqClose {
				turn = earlier(turn, step.Began)
			}
		}
		add(woken, inUse, turn)
		inUse = turn
	}
	add(closing, inUse, closeDue)
	add(lingering, closeDue, end)
	return spans
}

// end returns until when there is something to draw of a socket.
func (s Socket) end(c Context) time.Time {
	switch {
	case !s.Gone.IsZero():
		return s.Gone
	case !s.Closed.IsZero() && s.Outcome != Holding:
		return s.Closed
	}
	return c.Ended
}
