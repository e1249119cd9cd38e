package debugpage

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

const (
	// stuckAge is from what age on a socket on which a send is blocked counts as
	// stuck: a young one may still be connecting.
	stuckAge = 5 * time.Second
	// manySockets is how many sockets one line has made when nobody may have meant it:
	// libzmq's limit for a context is 1023 by default.
	manySockets = 100

	maxNotices = 20
)

// attention are the notices that stand above all.
type attention struct {
	Notices []notice
	More    int // notices that aren't listed
}

type notice struct {
	Text string
	URL  string // where to see more
	rank rank
}

type rank int

const (
	closing rank = iota // the most urgent
	stuckSends
	veryMany
)

func (a *attention) add(c contextPart, groups []groupRow) {
	if c.Closing != nil {
		a.note(closing, "#"+c.ID, "Context made at %s is %s.", c.Site, c.Closing.Headline)
	}
	for _, g := range groups {
		if g.Stuck.N > 0 {
			a.note(stuckSends, g.URL, "%s blocked on %s made at %s, the oldest %s old: nobody takes the messages, or not fast enough.",
				areOf(g.Stuck.Sends, "send"), count(g.Stuck.N, g.Type.String()+" socket"), g.Site, short(g.Stuck.Oldest))
		}
		if g.N >= manySockets {
			a.note(veryMany, g.URL, "%s made at %s are open: is each of them closed some time?", count(g.N, g.Type.String()+" socket"), g.Site)
		}
	}
}

func (a *attention) note(r rank, url, format string, args ...any) {
	a.Notices = append(a.Notices, notice{fmt.Sprintf(format, args...), url, r})
}

// sort has the most urgent come first, and leaves what a page has room for.
func (a *attention) sort() {
	slices.SortStableFunc(a.Notices, func(x, y notice) int { return cmp.Compare(x.rank, y.rank) })
	a.More = max(len(a.Notices)-maxNotices, 0)
	a.Notices = a.Notices[:len(a.Notices)-a.More]
}

// stuck reports whether sends are blocked on an old socket.
func stuck(now time.Time, s zmqsafe.SocketInfo) bool {
	return s.Waiting.Sends > 0 && now.Sub(s.Created) >= stuckAge
}

// stuckSockets counts those of a group.
type stuckSockets struct {
	N, Sends int
	Oldest   time.Duration
}

func (st *stuckSockets) add(s zmqsafe.SocketInfo, age time.Duration) {
	st.N++
	st.Sends += s.Waiting.Sends
	st.Oldest = max(st.Oldest, age)
}
