package debugpage

import (
	"cmp"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/bysite"
)

// What one page lists at most. The numbers are of all.
const (
	maxUngrouped = 50  // sockets of a context; if there are more, they are grouped
	maxRows      = 200 // sockets and groups of sockets
	maxContexts  = 50
	maxEndpoints = 4 // of a socket
)

// page is what the template shows.
type page struct {
	Program   string
	PID       int
	Now       time.Time
	MadeAt    string // only sockets that were made there; empty: all
	AllURL    string
	JSONURL   string
	Sockets   int
	Total     int // contexts
	Waiting   zmqsafe.Waiting
	Attention attention
	Contexts  []contextPart
	More      int // contexts that aren't listed
}

// contextPart is a context with its sockets, or with groups of them.
type contextPart struct {
	zmqsafe.ContextInfo
	ID       string
	Age      time.Duration
	Closing  *closingPart
	Rows     []socketRow
	Groups   []groupRow
	MoreRows int    // sockets or groups that aren't listed
	MoreWhat string // what these are
}

type socketRow struct {
	zmqsafe.SocketInfo
	URL           string // of the page with what was made at the same place
	Age           time.Duration
	MoreEndpoints int
	Stuck         bool // see stuck
}

// groupRow stands for the sockets of one type that one line has made.
type groupRow struct {
	Type               zmqsafe.Type
	Site, URL          string
	N                  int
	Oldest             time.Duration
	Accepted, Received uint64
	Waiting            zmqsafe.Waiting
	Stuck              stuckSockets
}

func newPage(now time.Time, contexts []zmqsafe.ContextInfo, query url.Values) page {
	p := page{
		Program: filepath.Base(os.Args[0]), PID: os.Getpid(), Now: now, MadeAt: query.Get("made_at"),
		AllURL: with(query, "made_at", ""), JSONURL: with(query, "format", "json"), Total: len(contexts),
	}
	left := maxRows
	for _, c := range contexts {
		p.Sockets += len(c.Sockets)
		groups := group(now, c.Sockets, query)
		for _, g := range groups {
			p.Waiting = bysite.Sum(p.Waiting, g.Waiting)
		}
		part := contextPart{
			ContextInfo: c, ID: "c" + strconv.FormatInt(c.Created.UnixNano(), 36), Age: now.Sub(c.Created),
			Closing: newClosing(now, c.Closing),
		}
		p.Attention.add(part, groups)
		if len(p.Contexts) == maxContexts {
			p.More++
			continue
		}
		if len(c.Sockets) > maxUngrouped && p.MadeAt == "" {
			part.Groups = groups[:min(len(groups), left)]
			part.MoreRows, part.MoreWhat = len(groups)-len(part.Groups), "smaller group"
		} else {
			part.Rows = rows(now, c.Sockets[:min(len(c.Sockets), left)], query)
			part.MoreRows, part.MoreWhat = len(c.Sockets)-len(part.Rows), "younger socket"
		}
		left -= len(part.Groups) + len(part.Rows)
		p.Contexts = append(p.Contexts, part)
	}
	p.Attention.sort()
	return p
}

// with returns a URL of the same page that keeps what else is in the query, such as
// what a proxy wants to see. An empty value takes key away.
func with(query url.Values, key, value string) string {
	changed := make(url.Values, len(query)+1)
	for k, v := range query {
		changed[k] = v
	}
	if changed.Set(key, value); value == "" {
		changed.Del(key)
	}
	return "?" + changed.Encode()
}

func rows(now time.Time, sockets []zmqsafe.SocketInfo, query url.Values) []socketRow {
	var rows []socketRow
	for _, s := range sockets {
		row := socketRow{SocketInfo: s, URL: with(query, "made_at", s.Site), Age: now.Sub(s.Created), Stuck: stuck(now, s)}
		if row.MoreEndpoints = max(len(s.Endpoints)-maxEndpoints, 0); row.MoreEndpoints > 0 {
			row.Endpoints = s.Endpoints[:maxEndpoints]
		}
		rows = append(rows, row)
	}
	return rows
}

// group returns the largest group first.
func group(now time.Time, sockets []zmqsafe.SocketInfo, query url.Values) []groupRow {
	var groups []groupRow
	for _, made := range bysite.Of(sockets) {
		g := groupRow{
			Type: made.Type, Site: made.Site, URL: with(query, "made_at", made.Site),
			N: len(made.Sockets), Waiting: made.Waiting,
		}
		for _, s := range made.Sockets {
			age := now.Sub(s.Created)
			g.Oldest = max(g.Oldest, age)
			g.Accepted += s.Accepted
			g.Received += s.Received
			if stuck(now, s) {
				g.Stuck.add(s, age)
			}
		}
		groups = append(groups, g)
	}
	slices.SortStableFunc(groups, func(a, b groupRow) int { return cmp.Compare(b.N, a.N) })
	return groups
}
