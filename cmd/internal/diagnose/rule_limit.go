package diagnose

import (
	"fmt"
	"strings"
)

// socketLimit: zmq_ctx_term makes a socket for each inproc connect whose
// endpoint nobody has bound. At the limit of sockets it can't.
func socketLimit(t *trace) *Verdict {
	a, ok := t.abortWith("ctx.cpp", "Assertion failed: s")
	if !ok && len(t.aborts) > 0 && t.aborts[0].file == "ctx.cpp" && t.aborts[0].reason == "s" {
		a, ok = t.aborts[0], true
	}
	if !ok {
		return nil
	}
	v := &Verdict{Hazard: "socket-limit", Confidence: High}
	v.Why = []Evidence{t.quote(a.line, a.file, "to terminate, the context needed one more socket, for an inproc connect whose endpoint nobody had bound, and got none")}
	if stack := t.crashStack(); stack != nil {
		v.see(t, stack.frame("zmq4_ctx_term", "zmq_ctx_term", "ctx_t::terminate"), "term", "the context was being terminated")
	}
	return v
}

// tooManyThreads: a goroutine that waits in a receive of pebbe/zmq4 holds an OS
// thread.
func tooManyThreads(t *trace) *Verdict {
	line := t.find("-thread limit", "runtime: failed to create new OS thread", "runtime/cgo: pthread_create failed")
	if line < 0 {
		return nil
	}
	blocked, inC, first := 0, 0, -1
	for _, s := range t.stacks {
		if strings.Contains(t.lines[s.line], "[syscall") { // Go's word for both
			inC++
		}
		if at := s.frame("zmq4.(*Socket).", "zmq4.(*Poller)."); at >= 0 {
			if blocked++; first < 0 {
				first = at
			}
		}
	}
	// Most of the calls that wait in C must be receives: others do so, too.
	if blocked == 0 || blocked*2 < inC {
		return nil
	}
	v := &Verdict{Hazard: "blocked-threads", Confidence: High}
	v.Why = []Evidence{
		t.quote(line, "thread", "Go needs an OS thread for every goroutine that is blocked in C, and got no more"),
		t.quote(first, "(*Socket)", fmt.Sprintf("of the listed goroutines, %d are in C or in a system call, and %d of those in a socket of pebbe/zmq4", inC, blocked)),
	}
	return v
}
