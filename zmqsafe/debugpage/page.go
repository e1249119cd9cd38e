package debugpage

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/bysite"
)

// What one page lists at most. Its totals include what isn't listed.
const (
	maxUngrouped = 50  // sockets of a context; if there are more, they are grouped
	maxRows      = 200 // sockets and groups of sockets
	maxContexts  = 50
	maxEndpoints = 4  // of a socket
	maxNotices   = 20 // of a kind
)

// What needs attention.
const (
	stuckAge    = 5 * time.Second // of a socket with blocked sends; a younger one may still be connecting
	manySockets = 100             // of one line; libzmq's default limit for a context is 1023
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"css":       func() template.CSS { return template.CSS(pageCSS) },
	"last":      func(i int, steps []zmqsafe.Step) bool { return i == len(steps)-1 },
	"endpoints": func(all []string) some[string] { return first(all, maxEndpoints) },
	"closed":    closed, "detached": detached, "unread": func(all []zmqsafe.Unread) some[zmqsafe.Unread] { return first(all, maxNotices) },
	"ranOut": ranOut, "kept": kept, "short": short, "count": count, "number": number,
}).Parse(pageHTML))

// securityPolicy allows the page its own style sheet and no script: markup that
// a peer or a path might slip in has no effect.
var securityPolicy = "default-src 'none'; style-src " + hash(pageCSS) +
	"; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// page is what the template shows.
type page struct {
	Program        string
	PID            int
	Now            time.Time
	MadeAt         string // only sockets made there are shown; empty: all
	Paused         bool
	Sockets, Total int // Total is of contexts
	Waiting        zmqsafe.Waiting
	Closing        some[section]
	Stuck, Many    some[group]
	Contexts       some[section]
	query          url.Values
}

// section is a context with its sockets, or with groups of them.
type section struct {
	zmqsafe.ContextInfo
	Rows   some[zmqsafe.SocketInfo]
	Groups some[group]
}

// Closing is how far the close of the context has come, or nil.
func (s section) Closing() *zmqsafe.Report {
	if s.Report.Began.IsZero() {
		return nil
	}
	return &s.Report
}

type group struct {
	bysite.Group
	Stuck []zmqsafe.SocketInfo
	Sends int // that are blocked on Stuck
}

// some is a list, cut to what the page shows.
type some[T any] struct {
	Shown []T
	More  int
}

func first[T any](all []T, n int) some[T] {
	n = min(n, len(all))
	return some[T]{all[:n], len(all) - n}
}

// newPage puts the contexts that are closing first, so that a notice needs no
// link to its context. Such a link would have a fragment, and Chromium doesn't
// refresh a page that was loaded with one.
func newPage(now time.Time, contexts []zmqsafe.ContextInfo, query url.Values) *page {
	p := &page{
		Program: filepath.Base(os.Args[0]), PID: os.Getpid(), Now: now, Total: len(contexts),
		MadeAt: query.Get("made_at"), Paused: query.Has("pause"), query: query,
	}
	var closing, open []section
	var stuck, many []group
	left := maxRows
	for _, c := range contexts {
		groups := p.groups(c.Sockets)
		for _, g := range groups {
			p.Waiting = bysite.Sum(p.Waiting, g.Waiting)
			if len(g.Stuck) > 0 {
				stuck = append(stuck, g)
			}
			if len(g.Sockets) >= manySockets {
				many = append(many, g)
			}
		}
		p.Sockets += len(c.Sockets)
		s := section{ContextInfo: c}
		if len(c.Sockets) > maxUngrouped && p.MadeAt == "" {
			s.Groups = first(groups, left)
		} else {
			s.Rows = first(c.Sockets, left)
		}
		left -= len(s.Groups.Shown) + len(s.Rows.Shown)
		if s.Closing() != nil {
			closing = append(closing, s)
		} else {
			open = append(open, s)
		}
	}
	p.Contexts = first(slices.Concat(closing, open), maxContexts)
	p.Closing, p.Stuck, p.Many = first(closing, maxNotices), first(stuck, maxNotices), first(many, maxNotices)
	return p
}

// groups returns the largest group first.
func (p *page) groups(sockets []zmqsafe.SocketInfo) []group {
	var groups []group
	for _, made := range bysite.Of(sockets) {
		g := group{Group: made}
		for _, s := range made.Sockets {
			if p.IsStuck(s) {
				g.Stuck = append(g.Stuck, s)
				g.Sends += s.Waiting.Sends
			}
		}
		groups = append(groups, g)
	}
	slices.SortStableFunc(groups, func(a, b group) int { return len(b.Sockets) - len(a.Sockets) })
	return groups
}

// IsStuck reports whether sends are blocked on a socket that isn't new.
func (p *page) IsStuck(s zmqsafe.SocketInfo) bool {
	return s.Waiting.Sends > 0 && p.Now.Sub(s.Created) >= stuckAge
}

// Link returns the address of the same page with another value of key. It keeps
// the rest of the query, which a proxy may need. An empty value removes key.
func (p *page) Link(key, value string) string {
	query := maps.Clone(p.query)
	if query.Set(key, value); value == "" {
		query.Del(key)
	}
	return "?" + query.Encode()
}

// urgent returns what holds a close first, then what may have lost messages.
func urgent[T any](all []T, n int, outcome func(T) zmqsafe.Outcome) some[T] {
	rank := map[zmqsafe.Outcome]int{zmqsafe.Holding: 0, zmqsafe.RanOut: 1, zmqsafe.Gone: 2}
	return first(slices.SortedStableFunc(slices.Values(all), func(a, b T) int {
		return cmp.Compare(rank[outcome(a)], rank[outcome(b)])
	}), n)
}

func closed(sockets []zmqsafe.ClosedSocket) some[zmqsafe.ClosedSocket] {
	return urgent(sockets, maxUngrouped, func(s zmqsafe.ClosedSocket) zmqsafe.Outcome { return s.Outcome })
}

func detached(all []zmqsafe.Detached) some[zmqsafe.Detached] {
	return urgent(all, maxNotices, func(d zmqsafe.Detached) zmqsafe.Outcome {
		if d.Open > 0 {
			return zmqsafe.Holding
		}
		return d.Outcome
	})
}

// ranOut returns the number of sockets whose LINGER ran out.
func ranOut(r *zmqsafe.Report) (n int) {
	for _, s := range r.RanOut() {
		n += max(s.Merged, 1)
	}
	return n
}

// kept lists the Disconnects that may hold the close.
func kept(r *zmqsafe.Report) some[zmqsafe.Detached] {
	sent := func(d zmqsafe.Detached) bool { return d.Open == 0 }
	return first(slices.DeleteFunc(slices.Clone(r.Detached), sent), 1)
}
