package timeline

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ReadDir reads what the processes of a program have recorded, a file each, and returns the contexts of the process that
// started first first, and the oldest first.
func ReadDir(dir string) ([]Context, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var processes [][]Event
	for _, f := range files {
		events, err := readFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		if len(events) > 0 {
			processes = append(processes, events)
		}
	}
	slices.SortFunc(processes, func(a, b []Event) int { return a[0].At.Compare(b[0].At) })
	var all []Context
	for i, events := range processes {
		contexts := replay(events)
		for j := range contexts {
			contexts[j].Process = i + 1
		}
		all = append(all, contexts...)
	}
	return all, nil
}

func readFile(name string) ([]Event, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	events, err := readEvents(f)
	if err != nil {
		return nil, fmt.Errorf("what was recorded in %s: %w", filepath.Base(name), err)
	}
	return events, nil
}

// seen is a context while its events are read.
type seen struct {
	Context
	left    time.Time         // when it wasn't listed any more
	index   map[int]int       // of the sockets, by number
	missing map[int]time.Time // by index: when a socket wasn't listed any more
	report  *Report           // the last one
}

// replay puts together what one process has recorded.
func replay(events []Event) []Context {
	var contexts []*seen
	byNumber := map[int]*seen{}
	homes := map[int]*seen{} // of the sockets, by number
	var unknown []*Report
	var looks []time.Time
	for _, e := range events {
		looks = append(looks, e.At)
		c := byNumber[e.Context]
		switch {
		case e.Opened != nil:
			c = &seen{Context: Context{Site: e.Opened.Site, Created: e.Opened.Created}, index: map[int]int{}, missing: map[int]time.Time{}}
			contexts = append(contexts, c)
			byNumber[e.Context] = c
		case e.Report != nil && c != nil:
			c.report = e.Report
		case e.Report != nil:
			unknown = append(unknown, e.Report)
		case e.Socket != nil && c != nil:
			c.saw(e)
			homes[e.Number] = c
		case e.Left && c != nil:
			c.left = e.At
		}
		for _, number := range e.Missing {
			if home := homes[number]; home != nil {
				home.missed(number, e.At)
			}
		}
	}
	for _, r := range unknown {
		contexts = assign(contexts, r)
	}
	var all []Context
	for _, c := range contexts {
		c.finish(looks)
		all = append(all, c.Context)
	}
	slices.SortStableFunc(all, func(a, b Context) int { return a.Created.Compare(b.Created) })
	return all
}

// saw notes that a socket is new, or that other calls are blocked on it.
func (c *seen) saw(e Event) {
	i, ok := c.index[e.Number]
	if !ok {
		i = len(c.Sockets)
		c.index[e.Number] = i
		c.Sockets = append(c.Sockets, Socket{})
	}
	blocked := c.Sockets[i].Blocked
	c.Sockets[i] = *e.Socket
	c.Sockets[i].Blocked = endBlocked(blocked, e.At)
	if e.Waiting != "" {
		c.Sockets[i].Blocked = append(c.Sockets[i].Blocked, Blocked{From: e.At, Calls: e.Waiting})
	}
}

func (c *seen) missed(number int, at time.Time) {
	i := c.index[number]
	c.missing[i] = at
	c.Sockets[i].Blocked = endBlocked(c.Sockets[i].Blocked, at)
}

// endBlocked ends the last time in which calls were blocked, unless it has ended.
func endBlocked(blocked []Blocked, at time.Time) []Blocked {
	if last := len(blocked) - 1; last >= 0 && blocked[last].To.IsZero() {
		blocked[last].To = at
	}
	return blocked
}

// finish fills in what the report says, and for the sockets that aren't in it what follows from their absence.
func (c *seen) finish(looks []time.Time) {
	sampled := len(c.Sockets)
	last := looks[len(looks)-1]
	c.Ended = last
	if c.report != nil {
		c.fill(c.report)
	} else if !c.left.IsZero() {
		c.Ended, c.Done = c.left, true
	}
	if !c.Done && c.Ended.Before(last) {
		c.Ended = last
	}
	for i := range c.Sockets[:sampled] {
		c.infer(&c.Sockets[i], c.missing[i])
	}
	for i := range c.Sockets {
		c.Sockets[i].Blocked = endBlocked(c.Sockets[i].Blocked, c.Ended)
		c.Sockets[i].clip(looks)
	}
	slices.SortStableFunc(c.Sockets, func(a, b Socket) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Site, b.Site))
	})
	if c.Created.IsZero() { // known from a report only
		c.Created = c.Began
		for _, s := range c.Sockets {
			c.Created = earlier(c.Created, s.Created)
		}
	}
}

// infer tells when a socket was closed that no report tells about: the program did that before it closed the context, and
// libzmq was done with it by then. One that is missing later is about to be closed by the context.
func (c *seen) infer(s *Socket, missed time.Time) {
	switch {
	case !s.Closed.IsZero() || missed.IsZero():
	case !c.Done && !c.Began.IsZero() && missed.After(c.Began):
		s.Woken = c.Began
	default:
		s.Closed, s.About = earlier(missed, c.Began), true
	}
}

// clip cuts what was seen from outside, now and then, to what is known exactly. Calls that the end of the socket woke were
// blocked until then: if that wasn't seen, they came since the last look.
func (s *Socket) clip(looks []time.Time) {
	end := earlier(s.Woken, s.Closed)
	if end.IsZero() {
		return
	}
	for i := range s.Blocked {
		s.Blocked[i].To = earlier(s.Blocked[i].To, end)
	}
	s.Blocked = slices.DeleteFunc(s.Blocked, func(b Blocked) bool { return !b.From.Before(b.To) })
	last := len(s.Blocked) - 1
	if s.Woke == "" || last >= 0 && s.Blocked[last].To.Equal(end) {
		return
	}
	from := s.Created
	if i, _ := slices.BinarySearchFunc(looks, end, time.Time.Compare); i > 0 {
		from = later(from, looks[i-1])
	}
	s.Blocked = append(s.Blocked, Blocked{From: from, To: end, Calls: s.Woke})
}

// earlier returns the earlier one of two times, of which one may be zero.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
