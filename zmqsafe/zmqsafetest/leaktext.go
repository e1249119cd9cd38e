package zmqsafetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// What one message shows at most. The numbers are of all.
const (
	maxContexts  = 10
	maxSites     = 20 // of sockets in one context
	maxEndpoints = 3  // of the sockets of one site
)

// Error lists what was left, for people.
func (l leaks) Error() string {
	var b strings.Builder
	b.WriteString("zmqsafetest: still open: ")
	b.WriteString(l.totals())
	for i, c := range l {
		if i == maxContexts {
			fmt.Fprintf(&b, "\n  and %s", count(len(l)-i, "more context"))
			break
		}
		b.WriteString("\n  ")
		b.WriteString(c.text())
	}
	for _, advice := range l.advice() {
		b.WriteString("\n")
		b.WriteString(advice)
	}
	return b.String()
}

func (l leaks) totals() string {
	sockets := 0
	for _, c := range l {
		sockets += len(c.Sockets)
	}
	return fmt.Sprintf("%s in %s", count(sockets, "socket"), count(len(l), "context"))
}

// advice says how to mend each kind of leak that there is.
func (l leaks) advice() []string {
	var whole, only, closing bool
	for _, c := range l {
		closing = closing || c.Closing != nil
		whole = whole || !c.excused && c.Closing == nil
		only = only || c.excused
	}
	var said []string
	if whole {
		said = append(said, "Close each context, which closes its sockets: defer ctx.Close(), or make it with zmqsafetest.NewContext(t).")
	}
	if only {
		said = append(said, "Close each socket of a context that stays open: defer soc.Close().")
	}
	if closing {
		said = append(said, "Wait for Close of the context. Sockets that libzmq still has hold it until their LINGER is over: WithLinger, SetLinger.")
	}
	return said
}

func (c leak) text() string {
	name := "context"
	if c.Default {
		name = "default context"
	}
	if c.Closing != nil {
		return name + " that is still being closed:\n      " + strings.ReplaceAll(c.Closing.String(), "\n", "\n      ")
	}
	s := fmt.Sprintf("%s made at %s", name, c.Site)
	if len(c.Sockets) == 0 {
		return s + ", without sockets"
	}
	groups := group(c.Sockets)
	for i, g := range groups {
		if i == maxSites {
			return s + fmt.Sprintf("\n      and sockets made at %s", count(len(groups)-i, "more place"))
		}
		s += "\n      " + g.String()
	}
	return s
}

// siblings are sockets of one type that the same line has made, of which there may
// be thousands.
type siblings struct {
	typ       zmqsafe.Type
	site      string
	n         int
	endpoints []string
	waiting   zmqsafe.Waiting
}

// group keeps the order of sockets, oldest first.
func group(sockets []zmqsafe.SocketInfo) []siblings {
	var groups []siblings
	for _, s := range sockets {
		i := slices.IndexFunc(groups, func(g siblings) bool { return g.typ == s.Type && g.site == s.Site })
		if i < 0 {
			i = len(groups)
			groups = append(groups, siblings{typ: s.Type, site: s.Site})
		}
		g := &groups[i]
		g.n++
		g.endpoints = append(g.endpoints, s.Endpoints...)
		g.waiting.Receives += s.Waiting.Receives
		g.waiting.Sends += s.Waiting.Sends
		g.waiting.Polls += s.Waiting.Polls
	}
	return groups
}

// String follows SocketInfo's.
func (g siblings) String() string {
	s := fmt.Sprintf("%v socket made at %s", g.typ, g.site)
	if g.n > 1 {
		s = fmt.Sprintf("%d %v sockets made at %s", g.n, g.typ, g.site)
	}
	if more := len(g.endpoints) - maxEndpoints; more > 0 {
		s += fmt.Sprintf(" (%s and %d more)", strings.Join(g.endpoints[:maxEndpoints], ", "), more)
	} else if len(g.endpoints) > 0 {
		s += fmt.Sprintf(" (%s)", strings.Join(g.endpoints, ", "))
	}
	if waiting := g.waiting.String(); waiting != "" {
		s += "; blocked on it: " + waiting
	}
	return s
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
