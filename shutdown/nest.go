package shutdown

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// registry has the groups that Exit must close, and guards which group is part
// of which.
var registry = struct {
	mu      sync.Mutex
	roots   map[*Group]struct{} // guarded by mu; used, not yet taken down, and not part of another group
	exiting atomic.Bool         // Exit was called
	code    atomic.Int64        // of Exit
}{roots: make(map[*Group]struct{})}

func enlist(g *Group) {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if g.parent == nil {
		registry.roots[g] = struct{}{}
	}
}

// nest makes inner a part of outer.
func nest(inner, outer *Group) error {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	if isPartLocked(outer, inner) {
		return errors.New("a group can't be part of itself")
	}
	if inner.parent != nil && inner.parent != outer {
		return errors.New("the group is already part of another group")
	}
	inner.parent = outer
	delete(registry.roots, inner)
	return nil
}

// isPartLocked reports whether inner is outer or a part of it.
func isPartLocked(inner, outer *Group) bool {
	for inner != nil && inner != outer {
		inner = inner.parent
	}
	return inner != nil
}

// part is a worker or a step, to the groups inside it: it is in the contexts of
// both.
type part struct {
	group *Group

	// inside says that the worker or step is or has called the Shutdown or Run
	// of a group, so it returns soon after left is closed: the group inside
	// then calls the rest of its steps, and waits for nothing any more.
	inside   atomic.Bool
	left     chan struct{} // closed when group no longer waits for it
	returned chan struct{} // closed when it has returned
}

func newPart(g *Group) *part {
	return &part{group: g, left: make(chan struct{}), returned: make(chan struct{})}
}

// partKey finds the part in the context of a worker or step.
type partKey struct{}

// partOf returns the worker or step that has the context, or one that is none.
func partOf(ctx context.Context) *part {
	if p, ok := ctx.Value(partKey{}).(*part); ok {
		return p
	}
	return new(part)
}

func (p *part) in(ctx context.Context) context.Context { return context.WithValue(ctx, partKey{}, p) }

// leave leaves parts behind, which takes next to no time: it waits for groups
// inside, which call the rest of their steps. So no step of theirs is skipped.
func leave(parts ...*part) {
	var inside []<-chan struct{}
	for _, p := range parts {
		close(p.left)
		if p.inside.Load() {
			inside = append(inside, p.returned)
		}
	}
	await(time.After(overtime), inside...)
}

func groupOf(ctx context.Context) *Group { return partOf(ctx).group }

// owns reports whether ctx is the context of a worker or step of g, or of a
// group inside it.
func (g *Group) owns(ctx context.Context) bool {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	return isPartLocked(groupOf(ctx), g)
}

// stopBound returns the context that bounds the stop of a group whose Run has
// the context ctx. If Run is a worker of outer, it is the grace of outer, which
// begins when outer stops.
func stopBound(outer *Group, ctx context.Context) (context.Context, context.CancelFunc) {
	bound, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if outer == nil {
		return bound, cancel
	}
	if outer.Context().Err() != nil {
		return graceOf{outer.graceContext(), ctx}, cancel
	}
	unhook := context.AfterFunc(outer.Context(), func() { context.AfterFunc(outer.graceContext(), cancel) })
	return bound, func() { unhook(); cancel() }
}

// graceOf is the grace of an outer group, with the values of the context of
// Run.
type graceOf struct {
	context.Context
	values context.Context
}

func (c graceOf) Value(key any) any { return c.values.Value(key) }
