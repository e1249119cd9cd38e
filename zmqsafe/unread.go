package zmqsafe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/libzmq"
)

// Unread says what had arrived at sockets and was not received when they were
// closed: at those of one type that one line of the program made. See [Report].
type Unread struct {
	Type     Type
	Site     string // where the program made the sockets, "dir/file.go:42"
	Sockets  int    // how many of them had something unread
	Messages uint64 // whole messages; one that was received in part is one of them
	AtLeast  bool   // there were more than these
}

// WithUnreadCount sets whether the close of a socket counts what has arrived
// and was not received, see [ClosedSocket]; the default is true.
func WithUnreadCount(on bool) Option {
	return Option{func(c *contextState) error {
		c.unread.off = !on
		return nil
	}}
}

// String is a human-readable description.
func (u Unread) String() string {
	made := fmt.Sprintf("%v socket made at %s", u.Type, u.Site)
	if u.Sockets > 1 {
		made = fmt.Sprintf("%d %v sockets made at %s", u.Sockets, u.Type, u.Site)
	}
	return made + ": " + atLeast(u.Messages, u.AtLeast) + " unread"
}

// MarshalJSON writes an element of "unread", see [Report.MarshalJSON].
func (u Unread) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type     string `json:"type"`
		Site     string `json:"made_at"`
		Sockets  int    `json:"sockets"`
		Messages uint64 `json:"messages"`
		AtLeast  bool   `json:"at_least,omitempty"`
	}{u.Type.String(), u.Site, u.Sockets, u.Messages, u.AtLeast})
}

// missed reports whether unread messages are worth a warning. A SUB or XSUB
// that ends while its feed goes on always has some, as if it had ended a moment
// earlier: that is how it is meant to end, and only the report says so.
func (u Unread) missed() bool { return u.Type != SUB && u.Type != XSUB }

// atLeast is "12" or "at least 12".
func atLeast(n uint64, more bool) string {
	if more {
		return fmt.Sprint("at least ", n)
	}
	return fmt.Sprint(n)
}

// How long counting may take: it frees what it reads. Tests change it.
var (
	countSocket  = 10 * time.Millisecond // of one socket
	countContext = 50 * time.Millisecond // of all that the end of a context closes
)

// unreadAccount is what a context knows of unread messages.
type unreadAccount struct {
	off    bool                    // never changes
	spent  time.Duration           // on counting; only for the goroutine that closes the context
	found  map[unreadPlace]*Unread // guarded by contextState.mu; bounded by the lines of the program
	warned bool                    // guarded by contextState.mu; of what the end of the context closed
}

type unreadPlace struct {
	typ  Type
	site string
}

// countUnread counts what has arrived and was not received, by reading it, so
// only zmq_close may follow. l is what retire has returned. What it returns is
// nil if there was nothing. The caller holds the lock.
//
// A message counts with its last part, so the rest of one that the program has
// begun to receive counts as one that it hasn't received.
//
// Reading makes room for messages that peers still have, and these are lost,
// too: half of the queue at most for each peer, see libzmq.Discard.
func (s *socketState) countUnread(by closer, l *lingeringSocket) *Unread {
	c := s.c
	if c.unread.off || s.internal || !s.attached || s.rawMode || !receives(s.typ) || s.typ == PAIR && c.inproc.reads(s) {
		return nil
	}
	within, began := countSocket, time.Time{}
	if by == withContext {
		began = time.Now()
		within = c.mayCount(began)
	}
	n, more := libzmq.Discard(s.sock, within)
	if by == withContext {
		c.unread.spent += time.Since(began)
	}
	more = more || n > 0 && s.typ == REP // which gives one request, and then wants the reply
	n += uint64(s.inFlight)
	for _, part := range s.unread {
		if !part.more {
			n++
		}
	}
	if n == 0 && !more {
		return nil
	}
	if l != nil {
		l.closed.Unread, l.closed.UnreadAtLeast = n, more
	}
	return c.addUnread(s, n, more)
}

// receives reports whether what arrives at sockets of a type are messages of
// the program. An XPUB gets subscriptions, a STREAM bytes.
func receives(t Type) bool {
	return slices.Contains([]Type{PULL, SUB, XSUB, DEALER, ROUTER, PAIR, REP, REQ}, t)
}

// mayCount returns how long counting may take for the next socket that the end
// of the context closes. The rest of the time is for delivery.
func (c *contextState) mayCount(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	within := min(countSocket, countContext-c.unread.spent)
	if !c.deadline.IsZero() {
		within = min(within, c.deadline.Sub(now)/20)
	}
	return within
}

// addUnread adds to the account, and returns what was added.
func (c *contextState) addUnread(s *socketState, n uint64, more bool) *Unread {
	at := unreadPlace{s.typ, s.made.String()}
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := c.unread.found[at]
	if sum == nil {
		sum = &Unread{Type: at.typ, Site: at.site}
		c.unread.found[at] = sum
	}
	sum.Sockets++
	sum.Messages += n
	sum.AtLeast = sum.AtLeast || more
	return &Unread{s.typ, sum.Site, 1, n, more}
}

// unreadLocked returns the account. The caller holds mu.
func (c *contextState) unreadLocked() []Unread {
	var all []Unread
	for _, u := range c.unread.found {
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b Unread) int { return cmp.Or(cmp.Compare(a.Site, b.Site), cmp.Compare(a.Type, b.Type)) })
	return all
}

const unreadLost = "zmqsafe: messages had arrived and were not received; they are lost"

// warnUnread warns of what the program's own close of a socket has lost, or of
// nothing. Nobody holds the lock.
func (s *socketState) warnUnread(u *Unread) {
	if u != nil && u.missed() {
		placed{s.c.logger, "made_at", s.made}.Warn(unreadLost, "type", u.Type.String(), "messages", u.Messages, "at_least", u.AtLeast)
	}
}

// warnUnread warns once of all that the end of the context has lost.
func (c *contextState) warnUnread(r Report) {
	sockets, messages, more := r.missedAtEnd()
	if len(sockets) == 0 || !c.firstUnreadWarning() {
		return
	}
	c.logger.Warn(unreadLost, "made_at", r.Site, "messages", messages, "at_least", more, "sockets",
		joinSome(sockets, "; ", func(s ClosedSocket) string {
			return fmt.Sprintf("%v: %s", s.SocketInfo, atLeast(s.Unread, s.UnreadAtLeast))
		}))
}

func (c *contextState) firstUnreadWarning() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := !c.unread.warned
	c.unread.warned = true
	return first
}

// missedAtEnd returns the sockets with unread messages that the end of the
// context closed, and how many messages that are.
func (r Report) missedAtEnd() (sockets []ClosedSocket, messages uint64, more bool) {
	for _, s := range r.Sockets {
		if (s.Unread > 0 || s.UnreadAtLeast) && !s.Closed.Before(r.Began) && (Unread{Type: s.Type}).missed() {
			sockets, messages, more = append(sockets, s), messages+s.Unread, more || s.UnreadAtLeast
		}
	}
	return sockets, messages, more
}

// missed sums up what is worth a warning, of all sockets of the report.
func (r Report) missed() (sum Unread) {
	for _, u := range r.Unread {
		if u.missed() {
			sum.Sockets, sum.Messages, sum.AtLeast = sum.Sockets+u.Sockets, sum.Messages+u.Messages, sum.AtLeast || u.AtLeast
		}
	}
	return sum
}

// unreadPart is a part that was taken from libzmq and that the program hasn't
// received: it was too large for its buffer (RecvInto), or a proxy was stopped
// while it was in flight. Such parts are received before anything else.
type unreadPart struct {
	data []byte // not shared
	more bool   // more parts follow: the next unread one or, after the last, in libzmq
}

// putBack puts a message before everything else that will be received, but
// after the rest of a message that the program has begun to receive. It takes
// over the slices. The metadata is lost. The caller holds the lock, and passes
// In to Unlock.
func (s *socketState) putBack(message [][]byte) {
	var rest [][]byte
	if s.rcvmore {
		rest, _, _ = takeParts[[]byte](s, false)
	}
	s.unread = slices.Concat(unreadParts(rest), unreadParts(message), s.unread)
}

// unreadParts turns a message, or the rest of one, into unread parts.
func unreadParts(message [][]byte) []unreadPart {
	parts := make([]unreadPart, len(message))
	for i, data := range message {
		parts[i] = unreadPart{data, i < len(message)-1}
	}
	return parts
}

// takeUnread takes the first unread part; there must be one.
func (s *socketState) takeUnread() unreadPart {
	part := s.unread[0]
	s.unread[0].data = nil // the array may outlive it
	s.unread = s.unread[1:]
	return part
}
