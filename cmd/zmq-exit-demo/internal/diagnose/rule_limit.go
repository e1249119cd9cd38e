package diagnose

import (
	"fmt"
	"strings"
)

// socketLimit: zmq_ctx_term makes a socket for each inproc connect that nobody bound to, and at the limit it can't.
func socketLimit(t *trace) *Verdict {
	a, ok := t.abortWith("ctx.cpp", "Assertion failed: s")
	if !ok && len(t.aborts) > 0 && t.aborts[0].file == "ctx.cpp" && t.aborts[0].reason == "s" {
		a, ok = t.aborts[0], true
	}
	if !ok {
		return nil
	}
	v := &Verdict{Hazard: "socket-limit", Confidence: High}
	v.Why = []Evidence{t.quote(a.line, a.file, "while it was terminating, the context needed one more socket for an inproc connect that nobody bound to, and got none")}
	if stack := t.crashStack(); stack != nil {
		if line := stack.frame("zmq4_ctx_term", "zmq_ctx_term", "ctx_t::terminate"); line >= 0 {
			v.Why = append(v.Why, t.quote(line, "term", "the context was being terminated"))
		}
	}
	return v
}

// tooManyThreads: a goroutine that is blocked in a raw receive holds an OS thread.
func tooManyThreads(t *trace) *Verdict {
	line := t.find("-thread limit", "runtime: failed to create new OS thread", "runtime/cgo: pthread_create failed")
	if line < 0 {
		return nil
	}
	blocked, inC, first := 0, 0, -1
	for i := range t.stacks {
		if strings.Contains(t.lines[t.stacks[i].line], "[syscall") { // Go's word for both
			inC++
		}
		if at := t.stacks[i].frame("zmq4.(*Socket).", "zmq4.(*Poller)."); at >= 0 {
			if blocked++; first < 0 {
				first = at
			}
		}
	}
	// Other things block in C, too.
	if blocked == 0 || blocked*2 < inC {
		return nil
	}
	v := &Verdict{Hazard: "blocked-threads", Confidence: High}
	v.Why = []Evidence{
		t.quote(line, "thread", "Go needs an OS thread for every goroutine that is blocked in C, and got no more"),
		t.quote(first, "(*Socket)", fmt.Sprintf("of the listed goroutines, %d are in C or in a system call, and %d of those inside a raw socket", inC, blocked)),
	}
	return v
}
