package timeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestPhases(t *testing.T) {
	r := Report{
		Began: at(100), Took: duration(50 * time.Millisecond),
		Steps: []Step{{"wake", at(100), duration(5 * time.Millisecond)}, {"zmq_close", at(105), duration(15 * time.Millisecond)}},
	}
	type span struct {
		phase    phase
		from, to time.Time
	}
	for name, tt := range map[string]struct {
		socket Socket
		want   []span
	}{
		"idle, closed by its context": {
			Socket{Created: at(1), Woken: at(101), Closed: at(110), Released: at(140), Outcome: gone},
			[]span{{open, at(1), at(101)}, {closing, at(101), at(110)}, {lingering, at(110), at(140)}},
		},
		"a poll waited, closed by its context": {
			Socket{Created: at(1), Waiting: waiting{Polls: 1}, Woken: at(101), Closed: at(110), Released: at(140), Outcome: gone},
			[]span{{open, at(1), at(101)}, {woken, at(101), at(105)}, {closing, at(105), at(110)}, {lingering, at(110), at(140)}},
		},
		"a receive waited, closed by the program": {
			Socket{Created: at(1), Waiting: waiting{Receives: 1}, Woken: at(80), Closed: at(81), Released: at(82), Outcome: gone},
			[]span{{open, at(1), at(80)}, {woken, at(80), at(81)}, {lingering, at(81), at(82)}},
		},
		"still held": {
			Socket{Created: at(1), Woken: at(101), Closed: at(102), Outcome: holding},
			[]span{{open, at(1), at(101)}, {closing, at(101), at(102)}, {lingering, at(102), at(150)}},
		},
		"never closed": {Socket{Created: at(1)}, []span{{open, at(1), at(150)}}},
		"the clock was set": {
			Socket{Created: at(120), Woken: at(101), Closed: at(130), Released: at(110), Outcome: gone},
			nil,
		},
	} {
		var got []span
		times := r.phases(tt.socket)
		for p := range phase(phases) {
			if times[p].Before(times[p+1]) {
				got = append(got, span{p, times[p], times[p+1]})
			}
		}
		assert.Equal(t, tt.want, got, name)
	}
}

// A phase is drawn even if it took next to no time, and nothing is drawn beside
// the axis.
func TestShortPhasesAreDrawn(t *testing.T) {
	for _, closed := range []float64{101, 500, 1000} {
		r := closedIn(100*time.Millisecond, 900*time.Millisecond)
		r.Steps = []Step{{Name: "zmq_close", Began: at(closed - 0.5)}}
		r.Sockets = []Socket{{Created: start, Waiting: waiting{Sends: 1}, Woken: at(closed - 0.7), Closed: at(closed), Released: at(closed + 0.1), Outcome: gone}}
		bar := r.bar(r.Sockets[0], newAxis(r, 20, 1), 1)
		var drawn []phase
		last := 0.0
		for _, part := range bar {
			drawn = append(drawn, part.phase)
			assert.GreaterOrEqual(t, part.from, last)
			assert.InDelta(t, 1, min(part.to-part.from, 1), 1e-9)
			last = part.to
		}
		assert.Equal(t, []phase{open, woken, closing, lingering}, drawn)
		assert.LessOrEqual(t, last, 20.0)
	}
}

func TestColumnsOfManySockets(t *testing.T) {
	r := Report{Began: at(100), Took: duration(100 * time.Millisecond)}
	for i := range 4 {
		r.Sockets = append(r.Sockets, Socket{Created: start, Woken: at(100), Closed: at(100), Released: at(120 + 20*float64(i)), Outcome: gone})
	}
	columns, end := r.columns(r.Sockets, newAxis(r, 54, 1), 1) // 4 ms each, with 2 before and after
	assert.Len(t, columns, 54)
	assert.InDelta(t, 47, end, 0.1)
	assert.InDelta(t, 4, columns[10][open], 1e-9)
	assert.InDelta(t, 4, columns[28][lingering], 1e-9)
	assert.InDelta(t, 3, columns[35][lingering], 1e-9)
	assert.Zero(t, columns[50])
}
