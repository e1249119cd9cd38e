package timeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// closedIn is a report of a context with a socket that lived for a time and
// closed in another.
func closedIn(life, took time.Duration) Report {
	return Report{Began: start.Add(life), Took: duration(took), Done: true, Sockets: []Socket{{Created: start}}}
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at returns a time that is some milliseconds after start.
func at(ms float64) time.Time { return start.Add(time.Duration(ms * float64(time.Millisecond))) }

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
	r := closedIn(time.Second, 2*time.Millisecond)
	r.Sockets = []Socket{{Created: at(1), Woken: at(998.5), Closed: at(999)}, {Created: at(1), Closed: at(500)}}
	a := newAxis(r, 100, 2)
	require.Len(t, a.panels, 2)
	assert.True(t, a.panels[1].from.Before(at(998.5)))
	assert.True(t, a.panels[1].from.After(at(900)), "but not with what it closed long before")
}

func TestDeadlineIsShownIfItIsNear(t *testing.T) {
	for after, want := range map[time.Duration]bool{90: true, 110: true, 149: true, 151: false, 5000: false} {
		r := closedIn(10*time.Millisecond, 100*time.Millisecond)
		r.Deadline = r.Began.Add(after * time.Millisecond)
		assert.Equal(t, want, newAxis(r, 100, 2).shows(r.Deadline), "%d ms", after)
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
