package diagnose

import (
	"regexp"
	"strings"
)

// dataFiles are the files of libzmq that hold a socket's own data: an assertion there says that it was changed while
// another thread was using it.
const dataFiles = "msg.cpp pipe.cpp ypipe.hpp yqueue.hpp fq.cpp lb.cpp dist.cpp mailbox.cpp array.hpp own.cpp socket_base.cpp" +
	" req.cpp rep.cpp router.cpp dealer.cpp session_base.cpp"

// heapMessages are how the C library says that the heap is damaged.
var heapMessages = []string{
	"double free or corruption", "free(): invalid", "free(): double", "malloc(): ", "corrupted size vs. prev_size",
	"corrupted double-linked list", "malloc assertion failure", "munmap_chunk(): invalid",
}

// socketUse is a goroutine inside a method of a raw socket.
type socketUse struct {
	goroutine int // index into trace.stacks
	line      int
	method    string
}

var socketMethod = regexp.MustCompile(`zmq4\.\(\*Socket\)\.(\w+)\((0x[0-9a-f]+)`)

// sharedUses returns two goroutines that are inside methods of the same socket, preferring one that closes it. Go prints
// the receiver's address, so this is proof.
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

// quoteShared quotes the two goroutines, and returns the hazard that they are.
func (t *trace) quoteShared(v *Verdict, shared []socketUse) {
	v.Hazard, v.Confidence = "shared-socket", High
	for i, use := range shared {
		means := "a goroutine is in " + use.method + " of a socket"
		if i == 1 {
			means = "and at the same time another is in " + use.method + " of the same socket"
		}
		v.Why = append(v.Why, t.quote(use.line, "(*Socket)", means))
		if use.method == "Close" {
			v.Hazard = "close-while-recv"
		}
	}
}

// socketSharedNow: nothing broke yet, but two goroutines are in one socket.
func socketSharedNow(t *trace) *Verdict {
	shared := t.sharedUses()
	if shared == nil || t.crashed() {
		return nil
	}
	v := &Verdict{}
	t.quoteShared(v, shared)
	return v
}

// socketCorrupted: an assertion on a socket's data, a damaged heap, or a bad pointer, inside libzmq.
func socketCorrupted(t *trace) *Verdict {
	v := &Verdict{Hazard: "shared-socket", Confidence: Low}
	shared := t.sharedUses()
	stack := t.crashStack()
	inside := -1
	if stack != nil {
		inside = stack.inLibzmq()
	}

	if a, ok := t.abortWith("msg.cpp", "check ()"); ok {
		v.Confidence = Medium
		v.Why = append(v.Why, t.quote(a.line, a.file, "a message isn't a message any more: its memory was reused while it was being read or written"))
	} else if a, ok := t.abortWith("yqueue.hpp ypipe.hpp", "FATAL ERROR: OUT OF MEMORY"); ok {
		v.Why = append(v.Why, t.quote(a.line, a.file, "a queue between two sockets could not grow, or its size was damaged"))
		v.Others = append(v.Others, Candidate{"no hazard", "the program really ran out of memory"})
	} else if a, ok := t.abortWith(dataFiles, ""); ok && strings.Contains(a.reason, "Assertion failed: ") && t.mentionsLibzmq() {
		v.Why = append(v.Why, t.quote(a.line, a.file, "data that belongs to one socket doesn't hold together"))
	} else if line := t.find(heapMessages...); line >= 0 && inside >= 0 {
		v.Why = append(v.Why, t.quote(line, "", "the C library found its heap damaged"))
	} else if line := t.find("SIGSEGV", "SIGBUS", "Segmentation fault"); line >= 0 && inside >= 0 {
		v.Why = append(v.Why, t.quote(line, "SIG", "a pointer led nowhere"))
	} else {
		return nil
	}
	if inside >= 0 {
		v.Why = append(v.Why, t.quote(inside, "zmq", "and that inside libzmq"))
	}
	if shared != nil {
		t.quoteShared(v, shared)
		v.Others = nil
		return v
	}
	if stack != nil && stack.proxyFrame() >= 0 {
		v.Hazard, v.Confidence = "proxy-stop", Medium
		v.Why = append(v.Why, t.quote(stack.proxyFrame(), "roxy", "the thread was running a proxy on sockets that somebody closed, or used"))
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

// closedUnderReceiver: a socket's mailbox went away while a receiver was waiting on it.
func closedUnderReceiver(t *trace) *Verdict {
	v := &Verdict{Hazard: "close-while-recv", Confidence: Medium}
	a, ok := t.abortWith("signaler.cpp", "pfd.revents & POLLIN")
	if ok {
		v.Why = append(v.Why, t.quote(a.line, a.file, "the descriptor on which a thread was waiting for the socket was closed"))
	} else if a, ok = t.abortWith("own.cpp", "term_acks > 0"); ok {
		v.Why = append(v.Why, t.quote(a.line, a.file, "the socket was taken apart by two threads at once: by the reaper, and by one that was still inside"))
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
		v.Why = append(v.Why, t.quote(line, "roxy", "the thread was running a proxy on the socket"))
	} else if line := stack.frame("(*Socket).RecvEvent"); line >= 0 {
		v.Hazard, v.Confidence, v.Others = monitor.Hazard, High, nil
		v.Why = append(v.Why, t.quote(line, "RecvEvent", "the receiver was reading monitor events"))
	} else if line := stack.frame("(*Socket).Recv", "zmq_msg_recv", "zmq_recv", "(*Poller).Poll", "zmq_poll", "socket_base_t::recv"); line >= 0 {
		v.Confidence = High
		v.Why = append(v.Why, t.quote(line, "zmq", "the thread was waiting for a message"))
	}
	return v
}
