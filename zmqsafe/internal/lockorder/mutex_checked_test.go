//go:build zmqsafe_lockorder

package lockorder

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestInOrder(t *testing.T) {
	var poller Mutex[Poller]
	first, second := Mutex[Guard]{Number: 1}, Mutex[Guard]{Number: 2}
	var queue Mutex[Queue]
	all := []sync.Locker{&poller, &first, &second, &queue}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}} { // of unlocking
		for _, lock := range all {
			lock.Lock()
		}
		for _, i := range order {
			all[i].Unlock()
		}
	}
	locks.Range(func(id, held any) bool {
		t.Errorf("%v is said to hold %v", id, held)
		return true
	})
}

func TestOutOfOrder(t *testing.T) {
	var context, other Mutex[Context]
	var queue Mutex[Queue]
	first, second := Mutex[Guard]{Number: 1}, Mutex[Guard]{Number: 2}
	for _, test := range []struct {
		held, next sync.Locker
		want       string
	}{
		{&queue, &context, "Context is taken while Queue is held"},
		{&second, &first, "Guard 1 is taken while Guard 2 is held"},
		{&first, &first, "Guard 1 is taken while Guard 1 is held"}, // rather than wait for itself
		{&context, &other, "Context is taken while Context is held"},
	} {
		take(test.held)
		text := panicOf(test.next.Lock)
		for _, want := range []string{test.want, "lockorder.panicOf(", "lockorder.take("} {
			if !strings.Contains(text, want) {
				t.Errorf("%q isn't in the panic:\n%s", want, text)
			}
		}
		test.held.Unlock()
		take(test.next) // it wasn't taken by the call that panicked
		test.next.Unlock()
	}
}

// What one goroutine holds is nothing to another, which waits until it is free.
func TestGoroutinesApart(t *testing.T) {
	var context Mutex[Context]
	var queue Mutex[Queue]
	queue.Lock()
	taken, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		context.Lock()
		defer context.Unlock()
		close(taken)
		queue.Lock()
		defer queue.Unlock()
	}()
	<-taken
	queue.Unlock()
	<-done
}

func take(lock sync.Locker) { lock.Lock() }

func panicOf(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}
