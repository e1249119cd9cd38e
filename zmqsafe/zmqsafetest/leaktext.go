package zmqsafetest

import (
	"fmt"
	"strings"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/bysite"
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
	groups := bysite.Of(c.Sockets)
	for i, g := range groups {
		if i == maxSites {
			return s + fmt.Sprintf("\n      and sockets made at %s", count(len(groups)-i, "more place"))
		}
		s += "\n      " + groupText(g)
	}
	return s
}

// groupText follows SocketInfo's String.
func groupText(g bysite.Group) string {
	s := fmt.Sprintf("%v socket made at %s", g.Type, g.Site)
	if n := len(g.Sockets); n > 1 {
		s = fmt.Sprintf("%d %v sockets made at %s", n, g.Type, g.Site)
	}
	var endpoints []string
	for _, soc := range g.Sockets {
		endpoints = append(endpoints, soc.Endpoints...)
	}
	if more := len(endpoints) - maxEndpoints; more > 0 {
		s += fmt.Sprintf(" (%s and %d more)", strings.Join(endpoints[:maxEndpoints], ", "), more)
	} else if len(endpoints) > 0 {
		s += fmt.Sprintf(" (%s)", strings.Join(endpoints, ", "))
	}
	if waiting := g.Waiting.String(); waiting != "" {
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
