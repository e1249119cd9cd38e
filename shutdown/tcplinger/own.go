package tcplinger

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

// Own knows the TCP connections of this process, also when they are closed:
// then nothing tells whose they were. So a program notes what it has before it
// closes that. The zero Own knows none. It is safe for concurrent use.
type Own struct {
	mu        sync.Mutex
	connected map[string]struct{} // guarded by mu; local and remote address
	listens   map[string]struct{} // guarded by mu; local address
}

// Note adds the connections that the process has now, and those that peers make
// to what it listens on, now or later. It looks at /proc/self/fd and at the
// tables that [Wait] looks at. On a system without them it does nothing.
func (o *Own) Note() error {
	inodes, err := sockets()
	if len(inodes) == 0 {
		return err
	}
	all, err := connections()
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.connected == nil {
		o.connected, o.listens = make(map[string]struct{}), make(map[string]struct{})
	}
	for _, c := range all {
		if _, ok := inodes[c.inode]; !ok {
			continue
		}
		if c.state == listening {
			o.listens[c.local] = struct{}{}
		} else {
			o.connected[c.name()] = struct{}{}
		}
	}
	return nil
}

// Wait blocks until the kernels of all peers have acknowledged what noted
// connections, closed or not, had to send, or until ctx is done. It returns how
// many had something to send, and how many of them still have. If there are
// none, it looks once; if none was noted, not at all.
func (o *Own) Wait(ctx context.Context) (had, have int, err error) {
	o.mu.Lock()
	none := len(o.connected)+len(o.listens) == 0
	o.mu.Unlock()
	if none {
		return 0, 0, nil
	}
	return wait(ctx, o.has)
}

// has reports whether a connection is one of those that were noted. Who listens
// on all addresses has the port on each of them.
func (o *Own) has(c connection) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.connected[c.name()]; ok {
		return true
	}
	if _, ok := o.listens[c.local]; ok {
		return true
	}
	address, port, _ := strings.Cut(c.local, ":")
	_, ok := o.listens[strings.Repeat("0", len(address))+":"+port]
	return ok
}

// sockets returns the inodes of the sockets that the process has.
func sockets() (map[string]struct{}, error) {
	const dir = "/proc/self/fd/"
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	inodes := make(map[string]struct{})
	for _, entry := range entries {
		target, err := os.Readlink(dir + entry.Name())
		if err != nil { // it was closed meanwhile
			continue
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = struct{}{}
		}
	}
	return inodes, nil
}

// pause is how long to wait before looking again. Where the tables are long, it
// is longer.
const pause = 5 * time.Millisecond

// wait looks at the connections that count until none of them has anything to
// deliver, or ctx is done. It counts each once: while others come and go, the
// kernel may list a connection twice.
func wait(ctx context.Context, counts func(connection) bool) (had, have int, err error) {
	seen := make(map[string]struct{})
	for {
		began := time.Now()
		all, err := connections()
		if err != nil {
			return len(seen), have, err
		}
		now := make(map[string]struct{})
		for _, c := range all {
			if c.undelivered() && counts(c) {
				now[c.name()], seen[c.name()] = struct{}{}, struct{}{}
			}
		}
		have = len(now)
		if have == 0 {
			return len(seen), 0, nil
		}
		select {
		case <-time.After(max(pause, 4*time.Since(began))):
		case <-ctx.Done():
			return len(seen), have, nil
		}
	}
}
