package zmqsafe

import (
	"cmp"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// SocketInfo describes one live socket, see Context.Sockets.
type SocketInfo struct {
	Type      Type
	Endpoints []string // as bound and connected, in that order
	Created   time.Time
	Site      string // where the program made it, "dir/file.go:42"
}

// String describes the socket for people: its type, the place that made it and its
// endpoints.
func (i SocketInfo) String() string {
	s := fmt.Sprintf("%v socket made at %s", i.Type, i.Site)
	if len(i.Endpoints) > 0 {
		s += " (" + strings.Join(i.Endpoints, ", ") + ")"
	}
	return s
}

// Sockets lists the sockets of the context that aren't closed, oldest first. It
// waits for calls that are inside libzmq, which is a message at most.
func (ctx *Context) Sockets() []SocketInfo {
	c, err := ctx.core()
	if err != nil {
		return nil
	}
	defer runtime.KeepAlive(ctx)
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

// lingerer is a socket after its zmq_close, which libzmq may still hold on to.
type lingerer struct {
	SocketInfo
	asked, policy linger.Policy // what the program set, and what is left of it
	since         time.Time
}

// wasCut reports whether the deadline has shortened the linger.
func (l lingerer) wasCut() bool { return l.policy != l.asked }

func (l lingerer) String() string {
	if l.wasCut() {
		return fmt.Sprintf("%v, LINGER %v cut to %v", l.SocketInfo, l.asked, l.policy)
	}
	return fmt.Sprintf("%v, LINGER %v", l.SocketInfo, l.policy)
}

// ranOut reports whether the linger is over. libzmq counts it in whole
// milliseconds of a clock that it reads now and then (clock.cpp,
// clock_t::now_ms), so it may end a little early.
func (l lingerer) ranOut() bool {
	const slack = 5 * time.Millisecond
	return !outlasts(l.policy, time.Since(l.since)+slack)
}

// outlasts reports whether p lingers longer than d.
func outlasts(p linger.Policy, d time.Duration) bool {
	lingers, finite := p.Duration()
	return !finite || lingers > d
}

// maxLingerers bounds the memory for a program that goes on closing sockets with
// a long linger. The list serves messages only.
const maxLingerers = 64

// forget takes s off the registry after its zmq_close.
func (c *contextState) forget(s *socketState, l lingerer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sockets, s.id)
	if s.internal {
		c.internals--
		return
	}
	if l.asked == linger.Drop {
		return
	}
	if c.state == open { // what the end of the context closes is kept for its report
		c.lingering = slices.DeleteFunc(c.lingering, lingerer.ranOut)
	}
	c.lingering = append(c.lingering, l)
	if len(c.lingering) > maxLingerers {
		c.lingering = c.lingering[1:]
	}
}

// site is where a program called into this package.
type site struct{ frame runtime.Frame }

// caller returns the site that is skip frames above the function that calls it.
func caller(skip int) site {
	var pc [1]uintptr
	if runtime.Callers(skip+2, pc[:]) == 0 {
		return site{}
	}
	frame, _ := runtime.CallersFrames(pc[:]).Next()
	return site{frame}
}

func (s site) String() string {
	if s.frame.File == "" {
		return "an unknown place"
	}
	dir, file := filepath.Split(s.frame.File)
	return fmt.Sprintf("%s/%s:%d", filepath.Base(dir), file, s.frame.Line)
}
