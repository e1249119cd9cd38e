package timeline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at returns a time that is some milliseconds after start.
func at(ms float64) time.Time { return start.Add(time.Duration(ms * float64(time.Millisecond))) }

func opened(number int, site string, ms float64) Event {
	return Event{At: at(ms + 1), Context: number, Opened: &Opened{Site: site, Created: at(ms)}}
}

// madeAt is a socket as it is first seen.
func madeAt(site string, ms float64) *Socket {
	return &Socket{Type: "PULL", Site: site, Created: at(ms)}
}

func TestSocketThatTheProgramClosed(t *testing.T) {
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(2), Context: 1, Number: 2, Socket: madeAt("a.go:2", 1)},
		{At: at(3), Context: 1, Number: 2, Socket: madeAt("a.go:2", 1), Waiting: "1 receive"},
		{At: at(20), Missing: []int{2}},
		{At: at(60), Context: 1, Left: true},
		{At: at(61), Report: &Report{Site: "a.go:1", Began: at(50), Ended: at(55), Done: true}},
	})
	require.Len(t, contexts, 1)
	c := contexts[0]
	assert.True(t, c.Done)
	assert.Equal(t, at(55), c.Ended)
	require.Len(t, c.Sockets, 1)
	s := c.Sockets[0]
	assert.Equal(t, at(20), s.Closed)
	assert.True(t, s.About)
	assert.Equal(t, []Blocked{{at(3), at(20), "1 receive"}}, s.Blocked)
	assert.Equal(t, []span{{open, at(1), at(3)}, {blocked, at(3), at(20)}}, c.spans(s))
}

// A look that comes after the close can't say when the program closed a socket, but it was before.
func TestSocketThatIsMissedLate(t *testing.T) {
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(2), Context: 1, Number: 2, Socket: madeAt("a.go:2", 1)},
		{At: at(60), Context: 1, Left: true},
		{At: at(60), Missing: []int{2}},
		{At: at(61), Report: &Report{Site: "a.go:1", Began: at(50), Ended: at(55), Done: true}},
	})
	assert.Equal(t, at(50), contexts[0].Sockets[0].Closed)
}

// The context has begun to close it, but not got to zmq_close when the program died.
func TestSocketThatIsStillToBeClosed(t *testing.T) {
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(2), Context: 1, Number: 2, Socket: madeAt("a.go:2", 1)},
		{At: at(51), Context: 1, Report: &Report{Site: "a.go:1", Began: at(50), Ended: at(51)}},
		{At: at(52), Missing: []int{2}},
		{At: at(100)},
	})
	c := contexts[0]
	assert.False(t, c.Done)
	assert.Equal(t, at(100), c.Ended, "as far as was recorded")
	assert.Equal(t, []span{{open, at(1), at(50)}, {closing, at(50), at(100)}}, c.spans(c.Sockets[0]))
}

func TestReportKnowsBetter(t *testing.T) {
	reported := *madeAt("a.go:2", 1)
	reported.Woke, reported.Woken, reported.Closed, reported.Gone, reported.Outcome = "1 receive", at(40), at(41), at(52), Gone
	never := *madeAt("a.go:9", 49) // too short a life to be seen
	never.Woken, never.Closed, never.Gone, never.Outcome = at(50), at(51), at(52), Gone
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(2), Context: 1, Number: 2, Socket: madeAt("a.go:2", 1)},
		{At: at(10), Context: 1, Number: 2, Socket: madeAt("a.go:2", 1), Waiting: "1 receive"},
		{At: at(30)},
		{At: at(45), Missing: []int{2}},
		{At: at(61), Report: &Report{Site: "a.go:1", Began: at(50), Ended: at(55), Done: true, Sockets: []Socket{never, reported}}},
	})
	require.Len(t, contexts, 1)
	require.Len(t, contexts[0].Sockets, 2)
	s := contexts[0].Sockets[0]
	assert.Equal(t, at(41), s.Closed)
	assert.False(t, s.About)
	assert.Equal(t, []Blocked{{at(10), at(40), "1 receive"}}, s.Blocked, "until they were woken, not until that was seen")
	assert.Equal(t, "a.go:9", contexts[0].Sockets[1].Site, "oldest first")
}

func TestCallsThatWereNotSeenBlocked(t *testing.T) {
	for name, events := range map[string][]Event{
		"never seen": {opened(1, "a.go:1", 0)},
		"seen open": {
			opened(1, "a.go:1", 0),
			{At: at(6), Context: 1, Number: 2, Socket: madeAt("a.go:2", 5)},
			{At: at(7), Context: 1, Number: 2, Socket: madeAt("a.go:2", 5), Waiting: "1 poll"},
			{At: at(8), Context: 1, Number: 2, Socket: madeAt("a.go:2", 5)},
			{At: at(30)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := *madeAt("a.go:2", 5)
			s.Woke, s.Woken, s.Closed, s.Gone, s.Outcome = "1 receive", at(40), at(41), at(42), Gone
			events := append(events, Event{At: at(61), Report: &Report{Site: "a.go:1", Began: at(40), Ended: at(55), Done: true, Sockets: []Socket{s}}})
			got := replay(events)[0].Sockets[0].Blocked
			last := got[len(got)-1]
			assert.Equal(t, at(40), last.To)
			assert.Equal(t, "1 receive", last.Calls)
			if name == "never seen" {
				assert.Equal(t, at(5), last.From, "since it was made")
			} else {
				assert.Equal(t, at(30), last.From, "since the last look")
			}
		})
	}
}

func TestContextsOfOnePlace(t *testing.T) {
	first, second := *madeAt("a.go:2", 1), *madeAt("a.go:2", 11)
	first.Closed, second.Closed = at(80), at(20)
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(2), Context: 1, Number: 2, Socket: madeAt("a.go:2", 1)},
		opened(3, "a.go:1", 10),
		{At: at(12), Context: 3, Number: 4, Socket: madeAt("a.go:2", 11)},
		opened(5, "a.go:1", 13),
		// The second closes first, then the third, which has no sockets, then the first.
		{At: at(30), Context: 3, Left: true},
		{At: at(31), Report: &Report{Site: "a.go:1", Began: at(20), Ended: at(29), Done: true, Sockets: []Socket{second}}},
		{At: at(50), Context: 5, Report: &Report{Site: "a.go:1", Began: at(40), Ended: at(50)}},
		{At: at(60), Report: &Report{Site: "a.go:1", Began: at(40), Ended: at(55), Done: true}},
		{At: at(90), Report: &Report{Site: "a.go:1", Began: at(80), Ended: at(89), Done: true, Sockets: []Socket{first}}},
		{At: at(99), Report: &Report{Site: "b.go:1", Began: at(97), Ended: at(98), Done: true}},
	})
	require.Len(t, contexts, 4)
	for i, want := range []Context{
		{Site: "a.go:1", Created: at(0), Began: at(80), Ended: at(89)},
		{Site: "a.go:1", Created: at(10), Began: at(20), Ended: at(29)},
		{Site: "a.go:1", Created: at(13), Began: at(40), Ended: at(55)},
		{Site: "b.go:1", Created: at(97), Began: at(97), Ended: at(98)}, // only its report is known
	} {
		got := contexts[i]
		assert.Equal(t, want, Context{Site: got.Site, Created: got.Created, Began: got.Began, Ended: got.Ended})
		assert.True(t, got.Done)
	}
}

// A report without sockets tells only when the close began.
func TestContextsOfOnePlaceWithoutSockets(t *testing.T) {
	report := func(began float64) *Report {
		return &Report{Site: "a.go:1", Began: at(began), Ended: at(began + 1), Done: true}
	}
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(10), Context: 1, Left: true},
		opened(2, "a.go:1", 12),
		opened(3, "a.go:1", 30),
		{At: at(22), Report: report(20)},
	})
	require.Len(t, contexts, 3)
	assert.True(t, contexts[0].Began.IsZero(), "it had left")
	assert.Equal(t, at(20), contexts[1].Began)
	assert.True(t, contexts[2].Began.IsZero(), "it wasn't there yet")
}

// Only one of the two reports is logged by the default logger.
func TestContextsThatCloseAtTheSameTime(t *testing.T) {
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		opened(2, "b.go:1", 1),
		{At: at(21), Context: 1, Report: &Report{Site: "a.go:1", Began: at(20), Ended: at(21)}},
		{At: at(21), Context: 2, Report: &Report{Site: "b.go:1", Began: at(20), Ended: at(21)}},
		{At: at(41), Report: &Report{Site: "b.go:1", Began: at(20), Ended: at(40), Done: true}},
		{At: at(50)},
	})
	require.Len(t, contexts, 2)
	assert.False(t, contexts[0].Done)
	assert.True(t, contexts[1].Done)
}

func TestTheLatestReportCounts(t *testing.T) {
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(25), Report: &Report{Site: "a.go:1", Began: at(20), Ended: at(25)}},
		{At: at(40), Context: 1, Report: &Report{Site: "a.go:1", Began: at(20), Ended: at(40), Steps: []Step{{Name: "wake"}}}},
	})
	assert.Len(t, contexts[0].Steps, 1)
}

func TestLateReportOfASlowClose(t *testing.T) {
	report := func(ms float64, done bool) *Report {
		return &Report{Site: "a.go:1", Began: at(20), Ended: at(ms), Done: done}
	}
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(25), Report: report(25, false)},
		{At: at(40), Report: report(40, true)},
		{At: at(41), Context: 1, Left: true},
	})
	require.Len(t, contexts, 1)
	assert.True(t, contexts[0].Done)
	assert.Equal(t, at(40), contexts[0].Ended)
}

// The context has a logger of its own, so its last report isn't known, but that it has left.
func TestContextWithoutItsLastReport(t *testing.T) {
	contexts := replay([]Event{
		opened(1, "a.go:1", 0),
		{At: at(25), Context: 1, Report: &Report{Site: "a.go:1", Began: at(20), Ended: at(25)}},
		{At: at(41), Context: 1, Left: true},
	})
	assert.True(t, contexts[0].Done)
	assert.Equal(t, at(41), contexts[0].Ended)

	contexts = replay([]Event{opened(1, "a.go:1", 0), {At: at(41), Context: 1, Left: true}})
	assert.True(t, contexts[0].Done)
	assert.Equal(t, "Closed; how isn't known.", contexts[0].outcome())
}

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, events ...Event) {
		var lines strings.Builder
		for _, e := range events {
			require.NoError(t, json.NewEncoder(&lines).Encode(e))
		}
		text := lines.String() + `{"at":"2026-01-02T03:0` // killed while it wrote
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("1", Event{At: at(5)}, opened(1, "child.go:1", 6))
	write("2", Event{At: at(0)}, opened(1, "parent.go:1", 9))
	write("3")
	contexts, err := ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, contexts, 2)
	assert.Equal(t, "parent.go:1", contexts[0].Site)
	assert.Equal(t, 1, contexts[0].Process)
	assert.Equal(t, 2, contexts[1].Process)
	assert.Equal(t, at(7), contexts[1].Ended)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "4"), []byte("nonsense\n"), 0o600))
	_, err = ReadDir(dir)
	assert.ErrorContains(t, err, "recorded in 4: invalid character")
	_, err = ReadDir(filepath.Join(dir, "missing"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
