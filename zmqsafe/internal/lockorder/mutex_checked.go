//go:build zmqsafe_lockorder

package lockorder

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// Mutex is a sync.Mutex whose place in the order is L. Only the goroutine that
// holds it may unlock it.
type Mutex[L any] struct {
	Number uint64 // its place among the locks of L
	mu     sync.Mutex
	holder string // guarded by mu; the id of the goroutine
}

// locks has the locks that each goroutine holds: a []lock by the goroutine's
// id, which only that goroutine changes.
var locks sync.Map

// lock is a Mutex that a goroutine holds.
type lock struct {
	mutex  any
	place  reflect.Type // the Mutex's L
	number uint64
	stack  string // that took it
}

// Lock locks m. It panics if the goroutine holds a lock that doesn't come
// before.
func (m *Mutex[L]) Lock() {
	stack := make([]byte, 4096)
	stack = stack[:runtime.Stack(stack, false)]
	next := lock{m, reflect.TypeFor[L](), m.Number, string(stack)}
	id, _, _ := strings.Cut(next.stack, " [") // goroutine 17 [running]:
	held := heldBy(id)
	for _, l := range held {
		if !l.before(next) {
			panic(fmt.Sprintf("lockorder: %v is taken while %v is held\n\n%v is taken here:\n%s\n\n%v was taken here:\n%s", next, l, next, next.stack, l, l.stack))
		}
	}
	m.mu.Lock()
	m.holder = id
	locks.Store(id, append(held, next))
}

// Unlock unlocks m.
func (m *Mutex[L]) Unlock() {
	id := m.holder
	if held := slices.DeleteFunc(heldBy(id), func(l lock) bool { return l.mutex == m }); len(held) > 0 {
		locks.Store(id, held)
	} else {
		locks.Delete(id)
	}
	m.mu.Unlock()
}

func heldBy(id string) []lock {
	held, _ := locks.Load(id)
	all, _ := held.([]lock)
	return all
}

func (l lock) before(next lock) bool {
	if l.place == next.place {
		return l.number < next.number
	}
	return l.place.Len() < next.place.Len()
}

func (l lock) String() string {
	return strings.TrimSuffix(fmt.Sprintf("%s %d", l.place.Name(), l.number), " 0")
}
