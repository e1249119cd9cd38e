package timeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpans(t *testing.T) {
	c := Context{Created: at(0), Began: at(100), Ended: at(150), Steps: []Step{{"wake", at(100), at(105)}, {zmqClose, at(105), at(120)}}}
	for name, tt := range map[string]struct {
		socket Socket
		want   []span
	}{
		"idle, closed by its context": {
			Socket{Created: at(1), Woken: at(101), Closed: at(110), Gone: at(140), Outcome: Gone},
			[]span{{open, at(1), at(101)}, {closing, at(101), at(110)}, {lingering, at(110), at(140)}},
		},
		"blocked, closed by its context": {
			Socket{Created: at(1), Blocked: []Blocked{{at(10), at(101), "1 poll"}}, Woke: "1 poll", Woken: at(101), Closed: at(110), Gone: at(140), Outcome: Gone},
			[]span{{open, at(1), at(10)}, {blocked, at(10), at(101)}, {woken, at(101), at(105)}, {closing, at(105), at(110)}, {lingering, at(110), at(140)}},
		},
		"blocked, closed by the program": {
			Socket{Created: at(1), Blocked: []Blocked{{at(1), at(80), "1 poll"}}, Woke: "1 poll", Woken: at(80), Closed: at(81), Gone: at(82), Outcome: Gone},
			[]span{{blocked, at(1), at(80)}, {woken, at(80), at(81)}, {lingering, at(81), at(82)}},
		},
		"blocked now and then, and by different calls": {
			Socket{Created: at(1), Blocked: []Blocked{{at(0), at(10), "1 send"}, {at(10), at(12), "2 sends"}, {at(20), at(30), "1 send"}}, Closed: at(40), About: true},
			[]span{{blocked, at(1), at(12)}, {open, at(12), at(20)}, {blocked, at(20), at(30)}, {open, at(30), at(40)}},
		},
		"still held": {
			Socket{Created: at(1), Woken: at(101), Closed: at(102), Outcome: Holding},
			[]span{{open, at(1), at(101)}, {closing, at(101), at(102)}, {lingering, at(102), at(150)}},
		},
		"never closed": {Socket{Created: at(1)}, []span{{open, at(1), at(150)}}},
	} {
		assert.Equal(t, tt.want, c.spans(tt.socket), name)
	}
}

// closedIn is a context that lived for a time and closed in another.
func closedIn(life, took time.Duration) Context {
	return Context{Created: start, Began: start.Add(life), Ended: start.Add(life + took), Done: true}
}

func TestAxisIsBrokenForAShortClose(t *testing.T) {
	for _, tt := range []struct {
		life, took time.Duration
		panels     int
	}{
		{time.Second, time.Millisecond, 2},
		{time.Second, 300 * time.Millisecond, 2},
		{time.Second, time.Second, 1},
		{time.Millisecond, time.Second, 1},
		{0, 0, 1},
		{time.Hour, 0, 2},
	} {
		a := newAxis(closedIn(tt.life, tt.took), 100, 2)
		assert.Len(t, a.panels, tt.panels, "%v, then %v", tt.life, tt.took)

		last := -1.0
		for i := range 1001 {
			x := a.x(start.Add((tt.life + tt.took) * time.Duration(i) / 1000))
			require.GreaterOrEqual(t, x, last, "time runs from left to right")
			require.LessOrEqual(t, x, 100.0)
			last = x
		}
		assert.NotEmpty(t, a.ticks(10))
	}
}

func TestAxisBeginsTheCloseWithWhatTheProgramClosedJustBefore(t *testing.T) {
	c := closedIn(time.Second, 2*time.Millisecond)
	c.Sockets = []Socket{{Created: at(1), Woken: at(998.5), Closed: at(999)}, {Created: at(1), Closed: at(500)}}
	a := newAxis(c, 100, 2)
	require.Len(t, a.panels, 2)
	assert.True(t, a.panels[1].from.Before(at(998.5)))
	assert.True(t, a.panels[1].from.After(at(900)), "but not with what it closed long before")
}

func TestDeadlineIsShownIfItIsNear(t *testing.T) {
	for after, want := range map[time.Duration]bool{90: true, 110: true, 149: true, 151: false, 5000: false} {
		c := closedIn(10*time.Millisecond, 100*time.Millisecond)
		c.Deadline = c.Began.Add(after * time.Millisecond)
		assert.Equal(t, want, newAxis(c, 100, 2).shows(c.Deadline), "%d ms", after)
	}
}

func TestTicks(t *testing.T) {
	labels := func(life, took time.Duration, room float64) (all []string) {
		for _, tick := range newAxis(closedIn(life, took), 100, 2).ticks(room) {
			all = append(all, tick.label)
		}
		return all
	}
	assert.Equal(t, []string{"0", "1,000", "2,000"}, labels(0, 2*time.Second, 30))
	assert.Equal(t, []string{"−5", "0", "5", "10"}, labels(5*time.Millisecond, 10*time.Millisecond, 30))
	assert.Equal(t, []string{"−1,000", "−500", "0", "0.02", "0.04"}, labels(time.Second, 40*time.Microsecond, 30))
	assert.Equal(t, []string{"−2,000,000", "−1,000,000"}, labels(2500*time.Second, time.Microsecond, 25)[:2])
}

func TestRoundUp(t *testing.T) {
	for v, want := range map[float64]float64{0.0011: 0.002, 1: 1, 1.01: 2, 2.5: 5, 5.1: 10, 99: 100, 100: 100} {
		assert.InEpsilon(t, want, roundUp(v), 1e-9, v)
	}
}

func TestRounded(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 987: "987ns", 12345: "12.3µs", 899_479 * time.Microsecond: "899ms", 1_002_345_678: "1s", 61_200_000_000: "1m1.2s",
	} {
		assert.Equal(t, want, rounded(d))
	}
}

func TestRowsOfManySockets(t *testing.T) {
	var c Context
	add := func(n int, site string) {
		for range n {
			c.Sockets = append(c.Sockets, Socket{Type: "PULL", Site: "dir/" + site, Created: at(0), Closed: at(1), Gone: at(2), Outcome: Gone})
		}
	}
	names := func() (all []string) {
		for _, r := range c.rows() {
			all = append(all, r.name)
		}
		return all
	}
	add(maxRows, "a.go:1")
	assert.Len(t, c.rows(), maxRows, "each has its own")
	add(1, "a.go:1")
	assert.Equal(t, []string{"PULL a.go:1", "PULL a.go:1", "PULL a.go:1", "… and 22 more like this"}, names())
	add(4, "b.go:1")
	assert.Equal(t, []string{"PULL b.go:1", "PULL b.go:1", "PULL b.go:1", "PULL b.go:1"}, names()[4:], "a row for one more takes no more room")
	for i := range 1000 {
		add(2, fmt.Sprintf("c.go:%d", i))
	}
	rows := names()
	assert.Equal(t, "… and 1,992 more made at 996 other places", rows[len(rows)-1])
	total := 0
	for _, r := range c.rows() {
		total += len(r.sockets)
	}
	assert.Equal(t, len(c.Sockets), total, "none is left out")
}

func TestRowOfManyTellsTheWorst(t *testing.T) {
	for want, outcomes := range map[string][]string{
		"all gone":     {Gone, Gone},
		"2 ran out":    {Gone, RanOut, RanOut},
		"1 still held": {Gone, RanOut, Holding},
		"":             {Gone, ""},
	} {
		var some []Socket
		for _, o := range outcomes {
			some = append(some, Socket{Outcome: o})
		}
		assert.Equal(t, want, many(some, "like this").note)
	}
}

// A phase that is shorter than a column is shown in one, if another has more than it needs.
func TestShortPhasesAreShown(t *testing.T) {
	var wide, tiny [phases]float64
	wide[open] = 1
	tiny[open], tiny[woken], tiny[closing] = 0.9, 0.05, 0.05
	var rest [phases]float64
	rest[lingering] = 1
	assert.Equal(t, []phase{open, woken, closing, lingering, -1}, cover{wide, tiny, rest, rest, {}}.cells())
	assert.Equal(t, []phase{open}, cover{tiny}.cells(), "where there is no room, what takes most")
}

func TestOutcome(t *testing.T) {
	c := closedIn(time.Second, time.Millisecond)
	assert.Equal(t, "Closed in 1ms.", c.outcome())
	c.Sockets = []Socket{{Outcome: Gone}}
	c.Deadline = c.Began.Add(5 * time.Second)
	assert.Equal(t, "Closed in 1ms of 5s. Its socket is gone.", c.outcome())
	c.Sockets = append(c.Sockets, Socket{Outcome: Gone})
	assert.Equal(t, "Closed in 1ms of 5s. Its 2 sockets are gone.", c.outcome())
	c.Sockets[1].Outcome = RanOut
	assert.Equal(t, "Closed in 1ms of 5s. LINGER ran out for 1 socket: messages may be lost.", c.outcome())
	c.Sockets[0].Outcome, c.Done = Holding, false
	assert.Equal(t, "Not closed when the program ended, after 1ms of 5s. libzmq still has 1 socket. LINGER ran out for 1 socket: messages may be lost.", c.outcome())
}
