package world

import (
	"reflect"
	"strings"
	"testing"
)

// TestRandom wants plans that a run can execute, the same each time, and that
// all there is occurs among the first few hundred.
func TestRandom(t *testing.T) {
	said := map[string]int{}
	for seed := range uint64(200) {
		p := Random(seed)
		if again := Random(seed); !reflect.DeepEqual(p, again) {
			t.Fatalf("seed %d makes two plans:\n%v\n%v", seed, p, again)
		}
		if len(p.Sockets) > len(makers) || len(p.Ends) != len(p.Contexts) {
			t.Errorf("%d sockets, %d are allowed; %d ends of %d contexts\n%v", len(p.Sockets), len(makers), len(p.Ends), len(p.Contexts), p)
		}
		for i, w := range p.Workers {
			if soc := w.Socket; soc >= len(p.Sockets) || w.Size >= noiseSize {
				t.Errorf("worker %d can't be executed\n%v", i, p)
			}
		}
		text := p.String()
		for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,\n", r) }) {
			said[word]++
		}
	}
	for _, word := range strings.Fields(`PUSH PULL DEALER ROUTER REQ REP PAIR PUB XPUB SUB MANDATORY CONFLATE NODROP LINGER
		tcp ipc inproc nobody once copies routed latest send receive ask reply detach look rests interrupt Close closed program alone`) {
		if said[word] == 0 {
			t.Errorf("no plan has %q", word)
		}
	}
}
