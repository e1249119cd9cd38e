package timeline

import (
	"slices"
	"time"
)

// socketKey identifies a socket among those of contexts made at one place. Two sockets made at the same place by different
// goroutines in the same nanosecond would be taken for one.
type socketKey struct {
	site, typ string
	created   int64
}

func (s Socket) key() socketKey { return socketKey{s.Site, s.Type, s.Created.UnixNano()} }

// assign finds the context that a report is about, which tells the place of its context and its sockets, but not when the
// context was made.
func assign(contexts []*seen, r *Report) []*seen {
	i := slices.IndexFunc(contexts, func(c *seen) bool { return c.Site == r.Site && c.surely(r) })
	if i < 0 {
		i = slices.IndexFunc(contexts, func(c *seen) bool { return c.Site == r.Site && c.maybe(r) })
	}
	if i < 0 {
		return append(contexts, &seen{Context: Context{Site: r.Site}, report: r})
	}
	if known := contexts[i].report; known == nil || !known.Ended.After(r.Ended) {
		contexts[i].report = r
	}
	return contexts
}

// surely reports whether the close is the same, or a socket is.
func (c *seen) surely(r *Report) bool {
	if c.report != nil {
		return c.report.Began.Equal(r.Began)
	}
	return slices.ContainsFunc(c.Sockets, func(s Socket) bool {
		return slices.ContainsFunc(r.Sockets, func(other Socket) bool { return s.key() == other.key() })
	})
}

// maybe reports whether the close can be that of c: it has none, and it was there.
func (c *seen) maybe(r *Report) bool {
	return c.report == nil && c.Created.Before(r.Began) && (c.left.IsZero() || c.left.After(r.Began))
}

// fill takes over what a report says. It knows a socket better than what was seen of it from outside, but for the calls.
func (c *seen) fill(r *Report) {
	c.Began, c.Deadline, c.Ended, c.Done, c.Error, c.Steps = r.Began, r.Deadline, r.Ended, r.Done, r.Error, r.Steps
	known := make(map[socketKey]int, len(c.Sockets))
	for i, s := range c.Sockets {
		known[s.key()] = i
	}
	for _, s := range r.Sockets {
		if i, ok := known[s.key()]; ok {
			s.Blocked = c.Sockets[i].Blocked
			c.Sockets[i] = s
		} else {
			c.Sockets = append(c.Sockets, s)
		}
	}
	if !c.Done && !c.left.IsZero() {
		c.Done, c.Ended = true, later(c.Ended, c.left)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
