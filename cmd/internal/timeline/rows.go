package timeline

import (
	"fmt"
	"path"
	"strings"
)

// row is a line of the chart: a socket, or many.
type row struct {
	name     string // type and place
	endpoint string
	note     string // the outcome in words
	outcome  string // for the mark where its bar ends
	sockets  []Socket
}

const (
	maxRows    = 24 // one for each socket up to here; with more, sockets made at one place share a row
	shownAlike = 3  // of each place, each in a row of its own
	maxAlike   = 6  // places; the rest shares one row
)

// rows returns the rows of a report, the oldest socket first.
func (r Report) rows() (rows []row) {
	if len(r.Sockets) <= maxRows {
		for _, s := range r.Sockets {
			rows = append(rows, newRow(s))
		}
		return rows
	}
	var places []string
	alike := map[string][]Socket{}
	for _, s := range r.Sockets {
		place := s.Type + " " + s.MadeAt
		if alike[place] == nil {
			places = append(places, place)
		}
		alike[place] = append(alike[place], s)
	}
	var rest []Socket
	for i, place := range places {
		group := alike[place]
		if i >= maxAlike {
			rest = append(rest, group...)
			continue
		}
		shown := min(shownAlike, len(group))
		if len(group) == shownAlike+1 {
			shown++ // "and 1 more" would take as much room
		}
		for _, s := range group[:shown] {
			rows = append(rows, newRow(s))
		}
		if len(group) > shown {
			rows = append(rows, newRowOfMany(group[shown:], "like this"))
		}
	}
	if rest != nil {
		rows = append(rows, newRowOfMany(rest, fmt.Sprintf("made at %s other places", count(len(places)-maxAlike))))
	}
	return rows
}

func newRow(s Socket) row {
	r := row{name: s.Type + " " + path.Base(s.MadeAt), outcome: s.Outcome, sockets: []Socket{s}}
	if n := len(s.Endpoints); n > 0 {
		r.endpoint = s.Endpoints[0]
		if n > 1 {
			r.endpoint += fmt.Sprintf(" and %d more", n-1)
		}
	}
	switch s.Outcome {
	case gone:
		r.note = "gone after " + rounded(s.Released.Sub(s.Closed))
	case ranOut:
		r.note = "ran out at " + s.EffectiveLinger
		if s.Merged > 0 {
			r.note += ", " + plural(s.Merged, "socket")
		}
	case holding:
		r.note = "still held"
	}
	return r
}

// newRowOfMany makes the row of sockets that aren't shown one by one.
func newRowOfMany(sockets []Socket, what string) row {
	r := row{name: fmt.Sprintf("… and %s more %s", count(len(sockets)), what), sockets: sockets}
	counts := map[string]int{}
	for _, s := range sockets {
		counts[s.Outcome]++
	}
	switch {
	case counts[holding] > 0:
		r.note, r.outcome = count(counts[holding])+" still held", holding
	case counts[ranOut] > 0:
		r.note, r.outcome = count(counts[ranOut])+" ran out", ranOut
	case counts[gone] == len(sockets):
		r.note, r.outcome = "all gone", gone
	}
	return r
}

// details says all that is known of a socket, line by line.
func (s Socket) details() string {
	lines := []string{s.Type + " made at " + s.MadeAt}
	if len(s.Endpoints) > 0 {
		lines = append(lines, strings.Join(s.Endpoints, ", "))
	}
	lines = append(lines, fmt.Sprintf("LINGER %s; messages accepted: %d, received: %d", s.Linger, s.Accepted, s.Received))
	if s.Unread > 0 || s.UnreadAtLeast {
		atLeast := ""
		if s.UnreadAtLeast {
			atLeast = "at least "
		}
		lines = append(lines, fmt.Sprintf("%s%d had arrived and were not received", atLeast, s.Unread))
	}
	var calls []string
	for _, c := range []struct {
		n    int
		what string
	}{{s.Waiting.Receives, "receive"}, {s.Waiting.Sends, "send"}, {s.Waiting.Polls, "poll"}} {
		if c.n > 0 {
			calls = append(calls, plural(c.n, c.what))
		}
	}
	if calls != nil {
		lines = append(lines, "its close ended "+strings.Join(calls, ", "))
	}
	return strings.Join(append(lines, newRow(s).note), "\n")
}
