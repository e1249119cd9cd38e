package zmqsafe

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// ContextInfo describes one context that isn't closed, see Contexts.
type ContextInfo struct {
	Site    string       `json:"context"` // where the program made it, "dir/file.go:42"
	Created time.Time    `json:"created"`
	Default bool         `json:"default,omitempty"` // it is the default context, see NewSocket
	Sockets []SocketInfo `json:"sockets,omitempty"` // as Context.Sockets lists them
	Closing *Report      `json:"closing,omitempty"` // what is known so far of its closing; nil while it is open
}

// SocketInfo describes one socket, see Context.Sockets and Report.
type SocketInfo struct {
	Type      Type
	Endpoints []string // as bound and connected, in that order
	Created   time.Time
	Site      string        // where the program made it, "dir/file.go:42"
	Linger    linger.Policy // its LINGER
	Accepted  uint64        // messages that sends accepted, in whole
	Received  uint64        // messages that were received, in whole
	Waiting   Waiting       // calls that are blocked on it; once it is closed, those that its end woke
}

// Waiting counts the calls that are blocked on a socket.
type Waiting struct {
	Receives, Sends int
	Polls           int // of pollers, reactors and proxies
}

// String describes the socket for people: its type, the place that made it and its
// endpoints, the first ten.
func (i SocketInfo) String() string {
	s := fmt.Sprintf("%v socket made at %s", i.Type, i.Site)
	if len(i.Endpoints) > 0 {
		s += " (" + joinSome(i.Endpoints, ", ", strings.Clone) + ")"
	}
	return s
}

// String is "1 receive, 2 polls", or empty when there are none.
func (w Waiting) String() string {
	var counts []string
	for _, c := range []struct {
		n    int
		what string
	}{{w.Receives, "receive"}, {w.Sends, "send"}, {w.Polls, "poll"}} {
		switch c.n {
		case 0:
		case 1:
			counts = append(counts, "1 "+c.what)
		default:
			counts = append(counts, fmt.Sprintf("%d %ss", c.n, c.what))
		}
	}
	return strings.Join(counts, ", ")
}

// contexts are all contexts of the process from NewContext until zmq_ctx_term has
// returned. Nothing that is reached from here leads to a handle, so a lost one is
// found all the same.
var contexts struct {
	mu  sync.Mutex
	all []*contextState // guarded by mu; oldest first
}

func enterContext(c *contextState) {
	contexts.mu.Lock()
	defer contexts.mu.Unlock()
	contexts.all = append(contexts.all, c)
}

func leaveContext(c *contextState) {
	contexts.mu.Lock()
	defer contexts.mu.Unlock()
	contexts.all = slices.DeleteFunc(contexts.all, func(other *contextState) bool { return other == c })
}

// Contexts lists the contexts of the process that aren't closed, oldest first: also
// the default context, and one whose zmq_ctx_term hasn't returned. It waits for
// calls that are inside libzmq, which is a message at most.
func Contexts() []ContextInfo {
	contexts.mu.Lock()
	all := slices.Clone(contexts.all)
	contexts.mu.Unlock()
	infos := make([]ContextInfo, len(all))
	for i, c := range all {
		infos[i] = ContextInfo{Site: c.made.String(), Created: c.created, Default: c.isDefault, Sockets: c.list()}
		if r := c.report(); !r.Began.IsZero() {
			infos[i].Closing = &r
		}
	}
	return infos
}

// Sockets lists the sockets of the context that aren't closed, oldest first. It
// waits for calls that are inside libzmq, which is a message at most.
func (ctx *Context) Sockets() []SocketInfo {
	c, err := ctx.core()
	if err != nil {
		return nil
	}
	defer runtime.KeepAlive(ctx)
	return c.list()
}

func (c *contextState) list() []SocketInfo {
	var infos []SocketInfo
	for _, s := range slices.Backward(c.newestFirst()) {
		if s.lock() == nil {
			infos = append(infos, s.infoLocked())
			s.unlock(0)
		}
	}
	return infos
}

// newestFirst returns the program's sockets in the order in which to close them.
func (c *contextState) newestFirst() []*socketState {
	c.mu.Lock()
	defer c.mu.Unlock()
	sockets := make([]*socketState, 0, len(c.sockets))
	for _, s := range c.sockets {
		if !s.internal {
			sockets = append(sockets, s)
		}
	}
	slices.SortFunc(sockets, func(a, b *socketState) int { return cmp.Compare(b.id, a.id) })
	return sockets
}
