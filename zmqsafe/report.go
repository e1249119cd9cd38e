package zmqsafe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Report says how a context was closed, or how far its close has come: see
// [Context.Report]. It prints as a table, logs as a group of attributes with
// package log/slog, and marshals to JSON.
type Report struct {
	Site       string         // where the program made the context, "dir/file.go:42"
	Began      time.Time      // of the close; zero before it
	Deadline   time.Time      // of the first Close or Shutdown; zero: none
	Took       time.Duration  // until the close was done, or until now
	Done       bool           // zmq_ctx_term has returned, and everything is freed
	Steps      []Step         // in order; see "Closing" in the package documentation
	Sockets    []ClosedSocket // in the order of zmq_close
	Detached   []Detached     // one for each line of the program that called Unbind or Disconnect
	Unclosed   int            // number of sockets that are still open
	Unread     []Unread       // what was not received, of all closed sockets; see ClosedSocket
	CloseError string         // what Close returned once it was done; empty for nil
}

// Step is one step of closing a context. The last step of a [Report] may still
// be under way.
type Step struct {
	Name  string
	Began time.Time
	Took  time.Duration
}

// ClosedSocket says how one socket was closed, and what libzmq did with it
// afterwards.
//
// A socket that the program itself closed is in the report of its context only
// if it may have had something to send, and if libzmq still had it when the
// context was closed or its linger had run out before. The latter are merged
// into one entry for each type and call site: Accepted and Received are then
// sums, and the rest is that of the last of them.
//
// What had arrived at a socket and was not received is lost. Unread is the
// number of whole messages; one that was received in part is one of them. They
// are counted by reading them, at most half of RCVHWM (1,000 if that is 0), for
// 10 ms; for all sockets that the end of a context closes 50 ms, and a
// twentieth of what the deadline leaves. If there are more, UnreadAtLeast is
// true. Reading makes room, so each peer may lose half of RCVHWM more than
// without. Of a REP, which gives one request at a time, Unread says only
// whether there was one, and nothing if it owes a reply. What an XPUB, a
// STREAM, a ROUTER with [Socket.SetRouterRaw] or the reader of a
// [Socket.Monitor] has isn't counted; nor is what peers and the network still
// had. [WithUnreadCount] turns it off.
type ClosedSocket struct {
	SocketInfo                    // when it was closed
	EffectiveLinger linger.Policy // LINGER at zmq_close: that of SocketInfo, unless the deadline or the close timeout changed it; see Socket.SetLinger for the least
	Woken           time.Time     // when blocked calls on it were ended
	Closed          time.Time     // when zmq_close was called
	Released        time.Time     // when libzmq was seen to have let go of it; zero: not yet
	Outcome         Outcome
	Merged          int    // how many sockets this entry stands for; 0: one
	Unread          uint64 // messages that had arrived and were not received
	UnreadAtLeast   bool   // there were more than Unread

	floored   bool // libzmq got lingerFloor at least
	valueLost bool // zmq_close overwrites the last value of a CONFLATE, unless libzmq has taken it unseen
}

// Outcome says what happened to a socket after its zmq_close.
type Outcome uint8

const (
	// Holding says that libzmq still has the socket: it has messages to send,
	// or its thread is busy with something else, such as looking up a host
	// name.
	Holding Outcome = iota
	// Gone says that libzmq was done with the socket before its linger ended:
	// it had nothing to send, or handed all that it had accepted to the
	// network. That includes what libzmq drops by its own rules: messages for
	// a peer that goes away or refuses the connection, and for an inproc peer
	// that doesn't read them or never existed. With LINGER 0 all messages may
	// have been discarded.
	Gone
	// RanOut says that messages may be lost: the linger ended before libzmq
	// was done with the socket, or nobody can tell which was first. A socket
	// that has accepted no message never has this outcome.
	RanOut
)

// Report says how the context was closed. While the close is under way it says
// how far that has come: after a [Context.Shutdown] that gave up, which sockets
// hold the context. Before the close it has only Detached, Unread, and in
// Sockets those that the program has closed and whose linger ran out. It never
// blocks.
func (ctx *Context) Report() Report {
	c, err := ctx.core()
	if err != nil {
		return Report{}
	}
	defer runtime.KeepAlive(ctx)
	return c.report()
}

// RanOut lists the sockets whose linger ended before libzmq had sent
// everything: their messages may be lost.
func (r Report) RanOut() []ClosedSocket { return r.with(RanOut) }

// ranOutAtEnd lists those of RanOut whose linger ended after the close began.
func (r Report) ranOutAtEnd() []ClosedSocket {
	return slices.DeleteFunc(r.RanOut(), func(s ClosedSocket) bool { return !s.Released.After(r.Began) })
}

// atDeadline reports whether the deadline changed the linger of s.
func (r Report) atDeadline(s ClosedSocket) bool { return s.changed() && s.Closed.After(r.Began) }

// Holding lists the sockets that libzmq still had when the report was made.
func (r Report) Holding() []ClosedSocket { return r.with(Holding) }

// String is a human-readable table of the steps, with the time that each took,
// and of the sockets.
func (r Report) String() string {
	var b strings.Builder
	b.WriteString(r.headline() + "\n")
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	if !r.Began.IsZero() {
		fmt.Fprintln(table, "\nstep\ttook")
	}
	for _, s := range r.Steps {
		fmt.Fprintf(table, "%s\t%v\n", s.Name, rounded(s.Took))
	}
	table.Flush()
	if len(r.Sockets) > 0 {
		b.WriteByte('\n')
		fmt.Fprintln(table, "socket\toutcome\tafter\tage\taccepted\treceived\tunread\tLINGER\twoke\tmade at\tendpoints")
		for _, s := range r.Sockets {
			fmt.Fprintf(table, "%v\t%v\t%s\t%v\t%d\t%d\t%s\t%s\t%s\t%s\t%s\n", s.Type, s.Outcome, s.after(), rounded(s.Closed.Sub(s.Created)),
				s.Accepted, s.Received, atLeast(s.Unread, s.UnreadAtLeast), s.lingerText(), cmp.Or(s.Waiting.String(), "-"), s.siteText(), cmp.Or(joinSome(s.Endpoints, " ", strings.Clone), "-"))
		}
		table.Flush()
	}
	return strings.TrimRight(b.String(), "\n")
}

func (r Report) headline() string {
	s := "the context isn't closed"
	if !r.Began.IsZero() {
		state := "closed in"
		if !r.Done {
			state = "being closed for"
		}
		s = fmt.Sprintf("context made at %s, %s %v", r.Site, state, rounded(r.Took))
	}
	if !r.Deadline.IsZero() {
		s += fmt.Sprintf(" of %v", rounded(r.Deadline.Sub(r.Began)))
	}
	if r.Unclosed > 0 {
		s += "; " + count(r.Unclosed, "socket") + " still open"
	}
	n := 0
	for _, ranOut := range r.RanOut() {
		n += max(ranOut.Merged, 1)
	}
	if n > 0 {
		s += "; LINGER ran out for " + count(n, "socket") + ", so messages may be lost"
	}
	if n := len(r.Holding()); n > 0 {
		s += "; libzmq still has " + count(n, "socket")
	}
	s += r.detachedText()
	if missed := r.missed(); missed.Sockets > 0 {
		s += "; " + count(missed.Sockets, "socket") + " had unread messages, " + atLeast(missed.Messages, missed.AtLeast) + ", which are lost"
	}
	if r.CloseError != "" {
		s += "; " + r.CloseError
	}
	return s
}

// LogValue is a group of attributes. It describes a socket in full only if
// something is wrong with it.
func (r Report) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("made_at", r.Site), slog.Bool("done", r.Done), slog.Duration("took", r.Took)}
	if !r.Deadline.IsZero() {
		attrs = append(attrs, slog.Time("deadline", r.Deadline))
	}
	var steps []slog.Attr
	for _, s := range r.Steps {
		steps = append(steps, slog.Duration(s.Name, s.Took))
	}
	attrs = append(attrs, slog.Attr{Key: "steps", Value: slog.GroupValue(steps...)}, slog.Int("sockets", len(r.Sockets)))
	if r.Unclosed > 0 {
		attrs = append(attrs, slog.Int("unclosed", r.Unclosed))
	}
	if ranOut := r.RanOut(); len(ranOut) > 0 {
		attrs = append(attrs, slog.String("ran_out", list(ranOut)))
	}
	if holding := r.Holding(); len(holding) > 0 {
		attrs = append(attrs, slog.String("holding", list(holding)))
	}
	if kept := r.keptByDisconnect(); len(kept) > 0 {
		attrs = append(attrs, slog.String("disconnected", listDetached(kept)))
	}
	if lost := r.lostByDetaching(); lost != "" {
		attrs = append(attrs, slog.String("detached", lost))
	}
	if len(r.Unread) > 0 {
		attrs = append(attrs, slog.String("unread", joinSome(r.Unread, "; ", Unread.String)))
	}
	return slog.GroupValue(attrs...)
}

// String is "holding", "gone" or "ran out".
func (o Outcome) String() string {
	switch o {
	case Gone:
		return "gone"
	case RanOut:
		return "ran out"
	}
	return "holding"
}

// MarshalText writes what [Outcome.String] returns.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// reportVersion is that of the JSON. A reader that knows a lower one only must
// refuse it, so it changes when a field goes or has another meaning.
const reportVersion = 1

// MarshalJSON writes one object:
//
//	{
//		"version": 1, "made_at": "dir/file.go:42",
//		"began": TIME, "deadline": TIME, "took": "1.2s", "done": true,
//		"steps": [{"name": "wake", "began": TIME, "took": "6µs"}],
//		"sockets": [{
//			"type": "PUSH", "endpoints": ["tcp://127.0.0.1:5555"],
//			"made_at": "dir/file.go:47", "created": TIME, "linger": "1s",
//			"accepted": 812, "received": 0,
//			"waiting": {"receives": 1, "sends": 1, "polls": 1},
//			"drained": {"messages": 40, "took": "210ms", "quiet": true},
//			"effective_linger": "900ms", "woken": TIME, "closed": TIME,
//			"released": TIME, "outcome": "ran out", "merged": 12,
//			"unread": 12, "unread_at_least": true
//		}],
//		"detached": [{
//			"detached_at": "dir/file.go:61", "times": 3, "time": TIME,
//			"type": "PUSH", "made_at": "dir/file.go:47",
//			"endpoint": "tcp://127.0.0.1:5555", "bound": true, "linger": "1s",
//			"accepted": 812, "outcome": "ran out", "may_lose": 812,
//			"open": 1, "until": TIME, "endpoints": ["tcp://127.0.0.1:5555"]
//		}],
//		"unclosed": 2,
//		"unread": [{"type": "PULL", "made_at": "dir/file.go:51", "sockets": 3, "messages": 40, "at_least": true}],
//		"error": "zmqsafe: …"
//	}
//
// Times are in the format of [time.RFC3339Nano], durations as
// [time.ParseDuration] reads them, and lingers as [linger.Policy.MarshalText]
// writes them. What is empty or hasn't happened yet is left out, but version,
// made_at, took and done are always there. An entry of "sockets" with "merged"
// stands for that many, see [ClosedSocket].
//
// A later version of this package may add fields without another "version". A
// program that reads reports must refuse a version that is higher than those it
// knows.
func (r Report) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Version  int            `json:"version"`
		Site     string         `json:"made_at"`
		Began    time.Time      `json:"began,omitzero"`
		Deadline time.Time      `json:"deadline,omitzero"`
		Took     string         `json:"took"`
		Done     bool           `json:"done"`
		Steps    []Step         `json:"steps,omitempty"`
		Sockets  []ClosedSocket `json:"sockets,omitempty"`
		Detached []Detached     `json:"detached,omitempty"`
		Unclosed int            `json:"unclosed,omitempty"`
		Unread   []Unread       `json:"unread,omitempty"`
		Error    string         `json:"error,omitempty"`
	}{reportVersion, r.Site, r.Began, r.Deadline, r.Took.String(), r.Done, r.Steps, r.Sockets, r.Detached, r.Unclosed, r.Unread, r.CloseError})
}

// MarshalJSON writes an element of "steps", see [Report.MarshalJSON].
func (s Step) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name  string    `json:"name"`
		Began time.Time `json:"began"`
		Took  string    `json:"took"`
	}{s.Name, s.Began, s.Took.String()})
}

// MarshalJSON writes an element of "sockets", see [Report.MarshalJSON].
func (s ClosedSocket) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		jsonSocket
		EffectiveLinger linger.Policy `json:"effective_linger"`
		Woken           time.Time     `json:"woken,omitzero"`
		Closed          time.Time     `json:"closed,omitzero"`
		Released        time.Time     `json:"released,omitzero"`
		Outcome         Outcome       `json:"outcome"`
		Merged          int           `json:"merged,omitempty"`
		Unread          uint64        `json:"unread,omitempty"`
		UnreadAtLeast   bool          `json:"unread_at_least,omitempty"`
	}{s.json(), s.EffectiveLinger, s.Woken, s.Closed, s.Released, s.Outcome, s.Merged, s.Unread, s.UnreadAtLeast})
}

func (c *contextState) report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == open {
		return Report{Sockets: reports(c.ranOut.merged), Detached: c.detachedLocked(), Unread: c.unreadLocked()}
	}
	r := Report{
		Site: c.made.String(), Began: c.began, Deadline: c.deadline, Took: c.took, Done: c.state == closed, Steps: slices.Clone(c.steps),
		Sockets: reports(slices.Concat(c.ranOut.merged, c.lingering)), Detached: c.detachedLocked(), Unclosed: c.unclosedLocked(), Unread: c.unreadLocked(),
	}
	if !r.Done {
		now := time.Now()
		r.Took = now.Sub(r.Began)
		if last := len(r.Steps) - 1; last >= 0 && r.Steps[last].Took == 0 {
			r.Steps[last].Took = now.Sub(r.Steps[last].Began)
		}
	} else if c.closeErr != nil {
		r.CloseError = c.closeErr.Error()
	}
	return r
}

// unclosed counts the program's sockets that are still open.
func (c *contextState) unclosed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unclosedLocked()
}

func (c *contextState) unclosedLocked() int { return len(c.sockets) - c.internals }

func (r Report) with(o Outcome) (some []ClosedSocket) {
	for _, s := range r.Sockets {
		if s.Outcome == o {
			some = append(some, s)
		}
	}
	return some
}

// after is how long libzmq had the socket after its zmq_close.
func (s ClosedSocket) after() string {
	if s.Released.IsZero() {
		return "-"
	}
	return rounded(s.Released.Sub(s.Closed)).String()
}

func (s ClosedSocket) siteText() string {
	if s.Merged > 0 {
		return s.Site + " (" + count(s.Merged, "socket") + ")"
	}
	return s.Site
}

func (s ClosedSocket) lingerText() string {
	if s.changed() {
		return fmt.Sprintf("%v, not %v", s.EffectiveLinger, s.Linger)
	}
	return s.EffectiveLinger.String()
}

// rounded is d without digits that nobody reads.
func rounded(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Microsecond)
}
