package diagnose

import (
	"regexp"
	"slices"
	"strings"
)

// dataFiles are the files of libzmq with the data of a single socket. If an
// assertion fails there, another thread changed the data while it was in use.
const dataFiles = "msg.cpp pipe.cpp ypipe.hpp yqueue.hpp fq.cpp lb.cpp dist.cpp mailbox.cpp array.hpp own.cpp socket_base.cpp" +
	" req.cpp rep.cpp router.cpp dealer.cpp session_base.cpp"

// heapMessages are what the C library prints when its heap is damaged.
var heapMessages = []string{
	"double free or corruption", "free(): invalid", "free(): double", "malloc(): ", "corrupted size vs. prev_size",
	"corrupted double-linked list", "malloc assertion failure", "munmap_chunk(): invalid",
}

// socketUse is a goroutine in a method of a socket of pebbe/zmq4.
type socketUse struct {
	goroutine int // index into trace.stacks
	line      int
	method    string
}

var socketMethod = regexp.MustCompile(`zmq4\.\(\*Socket\)\.(\w+)\((0x[0-9a-f]+)`)

// sharedUses returns two goroutines that are in methods of the same socket, if
// possible one that closes it. Go prints the address of the socket, so this is
// proof.
func (t *trace) sharedUses() []socketUse {
	uses := map[string][]socketUse{}
	var shared []socketUse
	for i, s := range t.stacks {
		for _, f := range s.frames {
			m := socketMethod.FindStringSubmatch(f.text)
			if m == nil {
				continue
			}
			use := socketUse{i, f.line, m[1]}
			for _, other := range uses[m[2]] {
				if other.goroutine != i && (shared == nil || use.method == "Close" || other.method == "Close") {
					shared = []socketUse{other, use}
				}
			}
			uses[m[2]] = append(uses[m[2]], use)
		}
	}
	return shared
}

// quoteShared quotes the two goroutines and names the hazard.
func (t *trace) quoteShared(v *Verdict, shared []socketUse) {
	v.Hazard, v.Confidence = "shared-socket", High
	for i, use := range shared {
		means := "a goroutine is in " + use.method + " of a socket"
		if i == 1 {
			means = "and at the same time another is in " + use.method + " of the same socket"
		}
		v.see(t, use.line, "(*Socket)", means)
		if use.method == "Close" {
			v.Hazard = "close-while-recv"
		}
	}
}

// socketSharedNow: nothing has broken yet, but two goroutines are in one
// socket.
func socketSharedNow(t *trace) *Verdict {
	shared := t.sharedUses()
	if shared == nil {
		return nil
	}
	v := &Verdict{}
	t.quoteShared(v, shared)
	return v
}

// usedAfterClose: pebbe/zmq4 up to 1.2.7 takes the context away from a socket
// that is closed, and a call on the socket that fails then asks the context
// whether to try again.
func usedAfterClose(t *trace) *Verdict {
	bad := t.find("invalid memory address or nil pointer dereference")
	if bad < 0 {
		return nil
	}
	for _, s := range t.stacks {
		line := s.frame("zmq4.(*Context).retry(")
		if line < 0 {
			continue
		}
		v := &Verdict{Hazard: "close-while-recv", Confidence: High}
		v.see(t, bad, "invalid memory", "Go stopped the program in time: the memory is not damaged yet")
		v.see(t, line, "retry", "pebbe/zmq4 asked the socket's context whether to try again, and there was none: the socket had been closed")
		v.see(t, s.frame("zmq4.(*Socket)."), "(*Socket)", "the call that was made on the closed socket, or was running when it was closed")
		return v
	}
	return nil
}

// abortedInReceive: nothing tells why libzmq aborted, only that a thread was
// receiving. It waits in that call, so this is where a close hits it.
func abortedInReceive(t *trace) *Verdict {
	stack := t.crashStack()
	if stack == nil || stack.goroutine || len(t.aborts) > 0 || stack.match(abortFrame) < 0 {
		return nil
	}
	line := stack.frame("zmq_msg_recv", "zmq_recv", "zmq_poll")
	if line < 0 || stack.leavesLibzmq(line) || t.find(heapMessages...) >= 0 {
		return nil
	}
	v := &Verdict{Hazard: "close-while-recv", Confidence: Low}
	v.see(t, stack.match(abortFrame), "", "a thread aborted the program")
	v.see(t, line, "zmq", "libzmq did so in a call that waits for a message")
	v.Others = []Candidate{
		{"shared-socket", "nobody closed the socket, but several goroutines use it"},
		{"stray-close", "nobody closed the socket, but its descriptor was closed"},
	}
	v.Next = []string{allOutput, goroutines, whichLibzmq}
	return v
}

var library = regexp.MustCompile(` from \S*/(lib[a-z]+)`)

// leavesLibzmq reports whether a frame within that at a line is neither in
// libzmq nor in the C library.
func (s *stack) leavesLibzmq(at int) bool {
	for _, f := range s.frames {
		m := library.FindStringSubmatch(f.text)
		if f.line < at && m != nil && !slices.Contains([]string{"libzmq", "libc", "libpthread"}, m[1]) {
			return true
		}
	}
	return false
}

// socketCorrupted: an assertion about a socket's data failed, or a damaged heap
// or a bad pointer showed in libzmq.
func socketCorrupted(t *trace) *Verdict {
	v := &Verdict{Hazard: "shared-socket", Confidence: Low}
	shared := t.sharedUses()
	stack := t.crashStack()
	inside := -1
	if stack != nil {
		inside = stack.match(libzmqFrame)
	}

	if a, ok := t.abortWith("msg.cpp", "check ()"); ok {
		v.Confidence = Medium
		v.see(t, a.line, a.file, "a message is damaged: its memory was used again while it was being read or written")
	} else if a, ok := t.abortWith("yqueue.hpp ypipe.hpp", "FATAL ERROR: OUT OF MEMORY"); ok {
		v.see(t, a.line, a.file, "a queue between two sockets could not grow, or its size was damaged")
		v.Others = append(v.Others, Candidate{"no hazard", "the program really ran out of memory"})
	} else if a, ok := t.abortWith(dataFiles, ""); ok && strings.Contains(a.before+a.reason, "Assertion failed: ") && t.mentionsLibzmq() {
		v.see(t, a.line, a.file, "the data of one socket is inconsistent")
	} else if line := t.find(heapMessages...); line >= 0 && inside >= 0 {
		v.see(t, line, "", "the C library found its heap damaged")
	} else if line := t.find("SIGSEGV", "SIGBUS", "Segmentation fault"); line >= 0 && inside >= 0 {
		v.see(t, line, "SIG", "a pointer led nowhere")
	} else {
		return nil
	}
	v.see(t, inside, "zmq", "this happened in libzmq")
	if shared != nil {
		t.quoteShared(v, shared)
		v.Others = nil
		return v
	}
	if stack != nil && stack.proxyFrame() >= 0 {
		v.Hazard, v.Confidence = "proxy-stop", Medium
		v.see(t, stack.proxyFrame(), "roxy", "the thread was running a proxy on sockets that somebody closed, or used")
		v.Others = append(v.Others, Candidate{"shared-socket", "nobody closed a socket of the proxy, but others use one"})
		v.Next = []string{goroutines, gdbLive}
		return v
	}
	v.Others = append(v.Others,
		Candidate{"close-while-recv", "the socket was closed while another goroutine was using it"},
		Candidate{"no hazard", "the program passes libzmq a socket, context or message that it freed, or damaged the heap elsewhere"})
	v.Next = []string{goroutines, gdbLive}
	return v
}

// closedUnderReceiver: a socket's mailbox was closed while a receive waited on
// it.
func closedUnderReceiver(t *trace) *Verdict {
	v := &Verdict{Hazard: "close-while-recv", Confidence: Medium}
	a, ok := t.abortWith("signaler.cpp", "pfd.revents & POLLIN")
	if ok {
		v.see(t, a.line, a.file, "the descriptor on which a thread was waiting for the socket was closed")
	} else if a, ok = t.abortWith("own.cpp", "term_acks > 0"); ok {
		v.see(t, a.line, a.file, "two threads were taking the socket apart at once: the reaper, and one that was still using it")
	} else {
		return nil
	}
	monitor := Candidate{"monitor-close", "the socket is the PAIR that reads another socket's monitor events"}
	v.Others = []Candidate{
		monitor,
		{"shared-socket", "nobody closed the socket, but several goroutines use it"},
		{"stray-close", "nobody closed the socket, but its descriptor was closed"},
	}

	stack := t.crashStack()
	if stack == nil {
		v.Next = []string{goroutines, gdbLive, gdbCore}
		return v
	}
	if line := stack.proxyFrame(); line >= 0 {
		v.Hazard, v.Confidence, v.Others = "proxy-stop", High, nil
		v.see(t, line, "roxy", "the thread was running a proxy on the socket")
	} else if line := stack.frame("(*Socket).RecvEvent"); line >= 0 {
		v.Hazard, v.Confidence, v.Others = monitor.Hazard, High, nil
		v.see(t, line, "RecvEvent", "the receiver was reading monitor events")
	} else if line := stack.frame("(*Socket).Recv", "zmq_msg_recv", "zmq_recv", "(*Poller).Poll", "zmq_poll", "socket_base_t::recv"); line >= 0 {
		v.Confidence = High
		v.see(t, line, "zmq", "the thread was waiting for a message")
	}
	return v
}
