package zmqsafe

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"
)

// ContextInfo describes one context that isn't closed, see [Contexts].
type ContextInfo struct {
	Site    string       `json:"made_at"` // where the program made the context, "dir/file.go:42"
	Created time.Time    `json:"created"`
	Default bool         `json:"default,omitempty"` // it is the default context, see [NewSocket]
	Sockets []SocketInfo `json:"sockets,omitempty"` // as [Context.Sockets] lists them
	Report  Report       `json:"report,omitzero"`   // as [Context.Report] returns it; its Began is zero while the context is open
}

// SocketInfo describes one socket, see [Context.Sockets] and [Report].
type SocketInfo struct {
	Type      Type          `json:"type"`
	Endpoints []string      `json:"endpoints,omitempty"` // as bound and connected, in that order
	Site      string        `json:"made_at"`             // where the program made the socket, "dir/file.go:42"
	Created   time.Time     `json:"created"`
	Linger    linger.Policy `json:"linger"`           // its LINGER
	Accepted  uint64        `json:"accepted"`         // number of whole messages that sends accepted
	Received  uint64        `json:"received"`         // number of whole messages that were received
	Waiting   Waiting       `json:"waiting,omitzero"` // calls that are blocked on it, or that its close ended
	Drained   Drained       `json:"drained,omitzero"` // what Drain and ProxyDrain have received from it
}

// Waiting counts the calls that are blocked on a socket.
type Waiting struct {
	Receives int `json:"receives,omitempty"`
	Sends    int `json:"sends,omitempty"`
	Polls    int `json:"polls,omitempty"` // of pollers, reactors and proxies
}

// String is a human-readable description of the socket: its type, the place
// that made it, and its endpoints, ten at most.
func (i SocketInfo) String() string {
	s := fmt.Sprintf("%v socket made at %s", i.Type, i.Site)
	if len(i.Endpoints) > 0 {
		s += " (" + joinSome(i.Endpoints, ", ", strings.Clone) + ")"
	}
	return s
}

// MarshalJSON writes the type by its name, see [Report.MarshalJSON].
func (i SocketInfo) MarshalJSON() ([]byte, error) { return json.Marshal(i.json()) }

// jsonSocket is a SocketInfo with its type as text.
type jsonSocket struct {
	Type string `json:"type"`
	socketFields
}

type socketFields SocketInfo // without methods

func (i SocketInfo) json() jsonSocket { return jsonSocket{i.Type.String(), socketFields(i)} }

// String is "1 receive, 2 polls", or empty if there are none.
func (w Waiting) String() string {
	var counts []string
	for _, c := range []struct {
		n    int
		what string
	}{{w.Receives, "receive"}, {w.Sends, "send"}, {w.Polls, "poll"}} {
		if c.n > 0 {
			counts = append(counts, count(c.n, c.what))
		}
	}
	return strings.Join(counts, ", ")
}

// Contexts lists the contexts of the process that aren't closed, oldest first,
// including the default context and those whose zmq_ctx_term hasn't returned.
// It waits for calls that are inside libzmq, for one message at most.
func Contexts() []ContextInfo {
	contexts.mu.Lock()
	all := slices.Clone(contexts.all)
	contexts.mu.Unlock()
	infos := make([]ContextInfo, len(all))
	for i, c := range all {
		infos[i] = ContextInfo{Site: c.made.String(), Created: c.created, Default: c.isDefault, Sockets: c.list(), Report: c.report()}
	}
	return infos
}

// Sockets lists the sockets of the context that aren't closed, oldest first. It
// waits for calls that are inside libzmq, for one message at most.
func (ctx *Context) Sockets() []SocketInfo {
	c, err := ctx.core()
	if err != nil {
		return nil
	}
	defer runtime.KeepAlive(ctx)
	return c.list()
}

// ProfileName is the name of a profile of package [runtime/pprof] that this
// package keeps: the open sockets of all contexts, by the stack that made them.
//
//	pprof.Lookup(zmqsafe.ProfileName).WriteTo(os.Stderr, 1)
//	go tool pprof http://localhost:6060/debug/pprof/zmqsafe.sockets
//
// A socket is in it until it is closed, as in [Context.Sockets]. The second
// line is for a program that serves package [net/http/pprof].
const ProfileName = "zmqsafe.sockets"

// contexts are all contexts of the process, from NewContext until zmq_ctx_term
// has returned. Nothing that is reached from here leads to a handle, so the
// garbage collector still finds a leaked one.
var contexts struct {
	mu  lockorder.Mutex[lockorder.Contexts]
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

func (c *contextState) list() []SocketInfo {
	var infos []SocketInfo
	for _, s := range slices.Backward(c.newestFirst(false)) {
		if s.Lock() == nil {
			infos = append(infos, s.infoLocked())
			s.Unlock(0)
		}
	}
	return infos
}

// newestFirst returns the program's sockets, or the internal ones, in the order
// in which to close them.
func (c *contextState) newestFirst(internal bool) []*socketState {
	c.mu.Lock()
	defer c.mu.Unlock()
	sockets := make([]*socketState, 0, len(c.sockets))
	for _, s := range c.sockets {
		if s.internal == internal {
			sockets = append(sockets, s)
		}
	}
	slices.SortFunc(sockets, func(a, b *socketState) int { return cmp.Compare(b.id, a.id) })
	return sockets
}

// profile has the stacks that made the program's open sockets, see ProfileName.
var profile = pprof.NewProfile(ProfileName)

// callSite is where a program called into this package. The file and the line
// are looked up when somebody asks for them, which is seldom.
type callSite struct{ pc uintptr }

// caller returns the call site that is skip frames above the function that
// calls it.
func caller(skip int) callSite {
	var pc [1]uintptr
	runtime.Callers(skip+2, pc[:])
	return callSite{pc[0]}
}

// sameLine reports whether two call sites are one line of the program. Where
// the compiler has inlined it, one line has several.
func (s callSite) sameLine(other callSite) bool { return s == other || s.String() == other.String() }

// String is the last directory, the file and the line: "dir/file.go:42".
func (s callSite) String() string {
	frame, _ := runtime.CallersFrames([]uintptr{s.pc}).Next()
	if frame.File == "" {
		return "an unknown place"
	}
	dir, file := filepath.Split(frame.File)
	return fmt.Sprintf("%s/%s:%d", filepath.Base(dir), file, frame.Line)
}

// count is "1 socket" or "2 sockets".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// joinSome joins the first ten texts, which is as many as a reader wants.
func joinSome[T any](all []T, separator string, text func(T) string) string {
	const most = 10
	var texts []string
	for _, v := range all[:min(len(all), most)] {
		texts = append(texts, text(v))
	}
	if len(all) > most {
		texts = append(texts, fmt.Sprintf("and %d more", len(all)-most))
	}
	return strings.Join(texts, separator)
}
