package timeline

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRowsOfManySockets(t *testing.T) {
	var r Report
	add := func(n int, site string) {
		for range n {
			r.Sockets = append(r.Sockets, Socket{Type: "PULL", MadeAt: "dir/" + site, Created: at(0), Closed: at(1), Released: at(2), Outcome: gone})
		}
	}
	names := func() (all []string) {
		for _, row := range r.rows() {
			all = append(all, row.name)
		}
		return all
	}
	add(maxRows, "a.go:1")
	assert.Len(t, r.rows(), maxRows, "each has its own")
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
	for _, row := range r.rows() {
		total += len(row.sockets)
	}
	assert.Equal(t, len(r.Sockets), total, "none is left out")
}

func TestRowOfManyTellsTheWorst(t *testing.T) {
	for want, outcomes := range map[string][]string{
		"all gone":     {gone, gone},
		"2 ran out":    {gone, ranOut, ranOut},
		"1 still held": {gone, ranOut, holding},
		"":             {gone, ""},
	} {
		var some []Socket
		for _, o := range outcomes {
			some = append(some, Socket{Outcome: o})
		}
		assert.Equal(t, want, newRowOfMany(some, "like this").note)
	}
}

// One entry of a report may stand for all sockets of a line whose LINGER ran
// out before the close began.
func TestMergedSockets(t *testing.T) {
	r := Report{Done: true, Began: at(100), Sockets: []Socket{
		{Type: "PUSH", MadeAt: "dir/a.go:1", Created: at(0), Closed: at(1), Released: at(51), EffectiveLinger: "50ms", Outcome: ranOut, Merged: 1200},
		{Type: "PUSH", MadeAt: "dir/a.go:2", Created: at(0), Closed: at(101), Released: at(102), Outcome: gone},
	}}
	assert.Equal(t, "ran out at 50ms, 1,200 sockets", r.rows()[0].note)
	assert.Contains(t, r.outcome(), "LINGER ran out for 1,200 sockets")
}

func TestDetails(t *testing.T) {
	s := Socket{
		Type: "PUSH", MadeAt: "dir/file.go:42", Endpoints: []string{"tcp://a:1", "tcp://b:1"}, Linger: "forever", EffectiveLinger: "250ms",
		Accepted: 3, Waiting: waiting{Receives: 1, Polls: 2}, Outcome: ranOut,
	}
	assert.Equal(t, "PUSH made at dir/file.go:42\ntcp://a:1, tcp://b:1\nLINGER forever; messages accepted: 3, received: 0\n"+
		"its close ended 1 receive, 2 polls\nran out at 250ms", s.details())
	s.Unread, s.Waiting = 12, waiting{}
	assert.Contains(t, s.details(), "received: 0\n12 had arrived and were not received\nran out")
	s.UnreadAtLeast = true
	assert.Contains(t, s.details(), "received: 0\nat least 12 had arrived and were not received\nran out")
}
