package guard

import (
	"os/exec"
	"testing"
	"time"

	"github.com/zmqsafe/zmq-exit/internal/mutant"
)

// mutants are faults that the tests of this package must find.
var mutants = []struct {
	Name, File string
	Edits      [][2]string
}{
	// Wake-ups that calls owe to those who wait.
	{"Unlock doesn't wake receivers", "guard.go", [][2]string{{"g.wake(ready)\n", "g.wake(ready &^ In)\n"}}},
	{"Unlock doesn't wake senders", "guard.go", [][2]string{{"g.wake(ready)\n", "g.wake(ready &^ Out)\n"}}},
	{"Unlock doesn't notify watches", "guard.go", [][2]string{{"g.watchers.notify(ready)", ""}}},
	{"Wake doesn't wake receivers", "guard.go", [][2]string{{"g.wake(In | Out)", "g.wake(Out)"}}},
	{"Wake doesn't wake senders", "guard.go", [][2]string{{"g.wake(In | Out)", "g.wake(In)"}}},
	{"Wake doesn't notify watches", "guard.go", [][2]string{{"g.watchers.notifyAll()", ""}}},
	{"a waiter doesn't wake the other direction", "wait.go", [][2]string{{"g.wake(ready &^ w.Dir)", ""}}},
	{"a waiter doesn't notify watches", "wait.go", [][2]string{{"g.watchers.notify(ready)", ""}}},
	{"a poll doesn't pass on what it learns", "watch.go", [][2]string{{"g.Unlock(ready)", "g.Unlock(0)"}}},

	// What a call has to know to owe them.
	{"the first try doesn't learn of waiters", "wait.go", [][2]string{{"try(g.Watched())", "try(false)"}}},
	{"a try doesn't learn of the other waiter", "wait.go", [][2]string{{"try(other.waiting.Load() ||", "try(other == nil ||"}}},
	{"a try doesn't learn of watches", "wait.go", [][2]string{{" || g.watchers.any.Load())", ")"}}},
	{"Watched forgets receivers", "guard.go", [][2]string{{"g.in.waiting.Load() || ", ""}}},
	{"Watched forgets senders", "guard.go", [][2]string{{"g.out.waiting.Load() || ", ""}}},
	{"Watched forgets watches", "guard.go", [][2]string{{" || g.watchers.any.Load()", ""}}},

	// The order of a wait.
	{"waiting is set after the try", "wait.go", [][2]string{
		{"mine.waiting.Store(true)", ""},
		{"switch err := mine.parker.Park", "mine.waiting.Store(true)\n\t\tswitch err := mine.parker.Park"},
	}},
	{"no second try when it is ready since the first", "wait.go", [][2]string{{"if w.Reliable && ready&w.Dir != 0 {", "if false {"}}},
	{"the resource isn't armed", "wait.go", [][2]string{{"g.resource.Arm()", "error(nil)"}}},
	{"an Unpark before the Park is lost", "parker.go", [][2]string{{"make(chan struct{}, 1)", "make(chan struct{})"}}},
	{"a watch is entered after Events is read", "watch.go", [][2]string{{"g.watchers.add(w)\n\tready := g.resource.Events()", "ready := g.resource.Events()\n\tg.watchers.add(w)"}}},
	{"a poll doesn't arm", "watch.go", [][2]string{{"err := g.resource.Arm()", "err := error(nil)"}}},

	// Slots.
	{"the slot isn't given back", "wait.go", [][2]string{{"d.waiting.Store(false)\n\td.slot <- struct{}{}", "d.waiting.Store(false)"}}},
	{"waiting isn't reset", "wait.go", [][2]string{{"d.waiting.Store(false)\n", ""}}},
	{"two hold the slot", "wait.go", [][2]string{{"make(chan struct{}, 1), newTokenParker()\n", "make(chan struct{}, 2), newTokenParker()\n\t\t\td.slot <- struct{}{}\n"}}},

	// Senders that can't rely on Out.
	{"no recheck", "wait.go", [][2]string{{"if !w.Reliable {", "if false {"}}},
	{"a sender spins while Out is reported", "wait.go", [][2]string{{"if w.Reliable && ready&w.Dir != 0 {", "if ready&w.Dir != 0 {"}}},
	{"a waiter wakes itself", "wait.go", [][2]string{{"g.wake(ready &^ w.Dir)", "g.wake(ready)"}}},

	// What ends a wait.
	{"a time-out doesn't end a wait", "wait.go", [][2]string{{"case next == until:", "case false:"}}},
	{"a time-out doesn't end a wait for the slot", "wait.go", [][2]string{{"expired = timer.C", ""}}},
	{"a context doesn't end a wait", "parker.go", [][2]string{{"case <-ctx.Done():", "case <-context.Background().Done():"}}},
	{"a context doesn't end a wait for the slot", "wait.go", [][2]string{{"case <-ctx.Done():", "case <-context.Background().Done():"}}},
	{"DONTWAIT waits", "wait.go", [][2]string{{"if w.Timeout == 0 {", "if false {"}}},
	{"Close doesn't wake who is parked", "guard.go", [][2]string{{"close(g.done)\n\tg.Wake()", "close(g.done)"}}},
	{"Close doesn't end waits for the slot", "guard.go", [][2]string{{"close(g.done)\n", ""}}},

	// States.
	{"a closing guard admits calls", "guard.go", [][2]string{{"\tg.mu.Lock()\n\tif g.state != open {\n\t\treturn g.refuse()", "\tg.mu.Lock()\n\tif g.state == closed {\n\t\treturn g.refuse()"}}},
	{"a second Close wins", "guard.go", [][2]string{{"if g.state != open {\n\t\treturn false", "if g.state == closed {\n\t\treturn false"}}},
	{"the resource is released while the guard is open", "guard.go", [][2]string{{"g.state == closing && release()", "g.state != closed && release()"}}},
	{"the resource is released twice", "guard.go", [][2]string{{"\t\tg.state = closed\n", ""}}},

	// Queues.
	{"a notified watch isn't queued", "watch.go", [][2]string{{"\tw.queue.Push(w)\n", ""}}},
	{"a notified watch stays", "watch.go", [][2]string{{"delete(ws.set, w)\n\t\t\tw.notify()", "w.notify()"}}},
	{"a notified poll isn't woken", "watch.go", [][2]string{{"\tw.queue.Wake()\n", ""}}},
	{"what was taken is never queued again", "queue.go", [][2]string{{"for _, w := range q.maybe {\n\t\tw.queued = false", "for range q.maybe {"}}},
	{"a Wake before the Wait is lost", "queue.go", [][2]string{{"make(chan struct{}, 1)", "make(chan struct{})"}}},
}

// The tests of this package must find each mutant.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("not run with -short: it builds this package once for each mutant")
	}
	killed(t, mutant.Mutant{Name: "none"}, false)
	for _, m := range mutants {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			killed(t, mutant.Mutant(m), true)
		})
	}
}

func killed(t *testing.T, m mutant.Mutant, want bool) {
	binary := mutant.Build(t, []string{"CGO_ENABLED=0"}, m)
	began := time.Now()
	out, err := exec.Command(binary, "-test.short", "-test.failfast", "-test.timeout", "20s").CombinedOutput()
	took := time.Since(began).Round(time.Millisecond)
	if found := err != nil; found != want {
		t.Fatalf("found by the tests: %v, want %v\n%s", found, want, out)
	}
	t.Logf("%v: %s", took, mutant.FirstFailure(string(out)))
}
