package timeline

import (
	"fmt"
	"path"
	"strconv"
)

// row is a line of the chart: a socket, or many that are alike.
type row struct {
	name     string // type and place
	endpoint string
	note     string // what became of it
	mark     mark   // where its bar ends
	sockets  []Socket
}

// mark says how a bar ends.
type mark int

const (
	noMark mark = iota
	goneMark
	ranOutMark
	holdingMark
)

const (
	maxRows    = 24 // one for each socket up to here; with more, sockets made at one place share a row
	shownAlike = 3  // of each place, each in a row of its own
	maxAlike   = 6  // places; the rest shares one row
)

// rows returns the rows of a context, oldest socket first.
func (c Context) rows() []row {
	var rows []row
	if len(c.Sockets) <= maxRows {
		for _, s := range c.Sockets {
			rows = append(rows, c.row(s))
		}
		return rows
	}
	type place struct{ typ, site string }
	alike := map[place][]Socket{}
	var places []place
	for _, s := range c.Sockets {
		p := place{s.Type, s.Site}
		if alike[p] == nil {
			places = append(places, p)
		}
		alike[p] = append(alike[p], s)
	}
	var rest []Socket
	for i, p := range places {
		group := alike[p]
		if i >= maxAlike {
			rest = append(rest, group...)
			continue
		}
		shown := min(shownAlike, len(group))
		if len(group) == shownAlike+1 {
			shown++ // "and 1 more" would take the same room
		}
		for _, s := range group[:shown] {
			rows = append(rows, c.row(s))
		}
		if len(group) > shown {
			rows = append(rows, many(group[shown:], "like this"))
		}
	}
	if rest != nil {
		rows = append(rows, many(rest, fmt.Sprintf("made at %s other places", count(len(places)-maxAlike))))
	}
	return rows
}

func (c Context) row(s Socket) row {
	r := row{name: s.Type + " " + path.Base(s.Site), sockets: []Socket{s}}
	if n := len(s.Endpoints); n > 0 {
		r.endpoint = s.Endpoints[0]
		if n > 1 {
			r.endpoint += fmt.Sprintf(" and %d more", n-1)
		}
	}
	r.note, r.mark = c.ending(s)
	return r
}

// many makes the row of sockets that aren't shown one by one.
func many(sockets []Socket, what string) row {
	r := row{name: fmt.Sprintf("… and %s more %s", count(len(sockets)), what), sockets: sockets}
	endings := map[string]int{}
	for _, s := range sockets {
		endings[s.Outcome]++
	}
	switch {
	case endings[Holding] > 0:
		r.note, r.mark = count(endings[Holding])+" still held", holdingMark
	case endings[RanOut] > 0:
		r.note, r.mark = count(endings[RanOut])+" ran out", ranOutMark
	case endings[Gone] == len(sockets):
		r.note, r.mark = "all gone", goneMark
	}
	return r
}

func count(n int) string { return thousands(strconv.Itoa(n)) }
