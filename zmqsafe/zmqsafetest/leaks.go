package zmqsafetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/bysite"
)

// Another goroutine may be closing what is open, so Find looks again until
// patience is over. Nothing signals the end of a close: Find looks often at
// first.
const (
	patience     = time.Second
	lookEveryMin = time.Millisecond
	lookEveryMax = 100 * time.Millisecond
)

// What one error lists at most. Its totals include what isn't listed.
const (
	maxContexts  = 10
	maxSites     = 20 // of sockets of one context
	maxEndpoints = 3  // of the sockets of one site
)

// Find looks for sockets and contexts of the process that are open, and for
// contexts that are still closing. It returns nil if there are none. The text
// of the error names the lines that made them, their endpoints and the calls
// blocked on them, and says how to close them.
//
// Another goroutine may be about to close what is open, so Find blocks for up
// to a second before it returns an error. It returns nil as soon as nothing is
// open. It is safe for concurrent use.
func Find(options ...Option) error {
	ignored := make(map[key]bool)
	for _, option := range options {
		maps.Copy(ignored, option.ignored)
	}
	for end, every := time.Now().Add(patience), lookEveryMin; ; every = min(2*every, lookEveryMax) {
		found := leaksIn(zmqsafe.Contexts(), ignored)
		switch {
		case len(found) == 0:
			return nil
		case !time.Now().Before(end):
			return found
		}
		time.Sleep(min(every, time.Until(end)))
	}
}

// leak is a context that must be closed, or that has sockets that must be.
type leak struct {
	zmqsafe.ContextInfo      // Sockets lists only leaks
	mayStay             bool // only the sockets must be closed
}

func (l leak) isClosing() bool { return !l.Report.Began.IsZero() }

// leaks is the error that Find returns.
type leaks []leak

func leaksIn(contexts []zmqsafe.ContextInfo, ignored map[key]bool) (found leaks) {
	for _, c := range contexts {
		l := leak{ContextInfo: c}
		l.mayStay = ignored[contextKey(c)] || c.Default && !l.isClosing()
		l.Sockets = slices.DeleteFunc(slices.Clone(c.Sockets), func(soc zmqsafe.SocketInfo) bool { return ignored[socketKey(soc)] })
		if len(l.Sockets) > 0 || !l.mayStay {
			found = append(found, l)
		}
	}
	return found
}

// Error is human-readable.
func (l leaks) Error() string {
	sockets := 0
	var closing, whole, partly bool
	for _, c := range l {
		sockets += len(c.Sockets)
		closing = closing || c.isClosing()
		whole = whole || !c.mayStay && !c.isClosing()
		partly = partly || c.mayStay
	}
	s := fmt.Sprintf("zmqsafetest: still open: %s in %s", count(sockets, "socket"), count(len(l), "context"))
	for _, c := range l[:min(len(l), maxContexts)] {
		s += "\n  " + c.text()
	}
	if more := len(l) - maxContexts; more > 0 {
		s += "\n  and " + count(more, "more context")
	}
	if whole {
		s += "\nClose each context, which closes its sockets: defer ctx.Close(), or make it with zmqsafetest.NewContext(t)."
	}
	if partly {
		s += "\nClose each socket of a context that stays open: defer soc.Close()."
	}
	if closing {
		s += "\nWait for Close of the context. Sockets that libzmq still has hold it until their LINGER is over: WithLinger, SetLinger."
	}
	return s
}

func (c leak) text() string {
	name := "context"
	if c.Default {
		name = "default context"
	}
	if c.isClosing() {
		return name + " that is still closing:\n      " + strings.ReplaceAll(c.Report.String(), "\n", "\n      ")
	}
	s := fmt.Sprintf("%s made at %s", name, c.Site)
	if len(c.Sockets) == 0 {
		return s + ", without sockets"
	}
	groups := bysite.Of(c.Sockets)
	for _, g := range groups[:min(len(groups), maxSites)] {
		s += "\n      " + groupText(g)
	}
	if more := len(groups) - maxSites; more > 0 {
		s += "\n      and sockets made at " + count(more, "more place")
	}
	return s
}

// groupText resembles SocketInfo.String.
func groupText(g bysite.Group) string {
	s := fmt.Sprintf("%v socket made at %s", g.Type, g.Site)
	if n := len(g.Sockets); n > 1 {
		s = fmt.Sprintf("%s made at %s", count(n, g.Type.String()+" socket"), g.Site)
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

// count is "1 socket" or "2 sockets".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
