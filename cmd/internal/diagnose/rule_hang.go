package diagnose

import (
	"regexp"
	"strings"
)

var waitingFor = regexp.MustCompile(`\[.*, (\d+ minutes?).*\]:$`)

// termHangs: the program doesn't end, and a goroutine or thread is in
// zmq_ctx_term, which waits until every socket of the context is closed and has
// sent its messages.
func termHangs(t *trace) *Verdict {
	for _, s := range t.stacks {
		line := s.frame("zmq4_ctx_term", "zmq_ctx_term", "zmq_term", "ctx_t::terminate")
		if line < 0 {
			continue
		}
		v := &Verdict{Hazard: "term-open-socket", Confidence: Medium}
		v.Why = []Evidence{t.quote(line, "term", "the context is being terminated, and that waits for each of its sockets")}
		if m := waitingFor.FindStringSubmatch(t.lines[s.line]); m != nil {
			v.see(t, s.line, "[", "it has been waiting for "+m[1])
		}
		whatTermWaitsFor(t, s, v)
		return v
	}
	return nil
}

// monitorStalls: a thread of libzmq itself is sending. These threads send only
// monitor events, and wait for the reader.
func monitorStalls(t *trace) *Verdict {
	for _, s := range t.stacks {
		line := s.frame("zmq_msg_send", "socket_base_t::monitor_event")
		if line < 0 || !strings.HasPrefix(s.thread, "ZMQbg/") {
			continue
		}
		return &Verdict{Hazard: "monitor-close", Confidence: High, Why: []Evidence{
			t.quote(s.line, s.thread, "a thread of libzmq itself"),
			t.quote(line, "", "is sending a monitor event to a reader that is closed or never came, and does nothing else any more"),
		}}
	}
	return nil
}

// whatTermWaitsFor names the hazard if a stack tells what holds zmq_ctx_term
// up, and lists the usual causes otherwise.
func whatTermWaitsFor(t *trace, term *stack, v *Verdict) {
	is := func(hazard string, line int, around, means string) {
		v.Hazard, v.Confidence = hazard, High
		v.see(t, line, around, means)
	}
	if line := term.frame("runtime.runFinalizers", "runtime.runfinq", "runtime.createfing"); line >= 0 {
		is("dropped-context", line, "runtime", "a finalizer called it: the context was dropped, not closed, and no other finalizer of the program runs any more")
		return
	}
	receiver := -1
	for _, s := range t.stacks {
		if line := s.frame("getaddrinfo", "res_nsend", "res_nquery"); line >= 0 {
			is("slow-dns", line, "", "libzmq is looking up a host name, which can't be interrupted")
			return
		}
		if line := s.proxyFrame(); line >= 0 {
			is("proxy-stop", line, "roxy", "a proxy is running on sockets of a context that is being terminated")
			return
		}
		if line := s.frame("zmq4.auth_do_handler"); line >= 0 {
			is("auth-stop", line, "auth", "the authentication handler is running: its sockets are open")
			return
		}
		if line := s.frame("zmq4.(*Socket)."); line >= 0 && receiver < 0 {
			receiver = line
		}
	}
	if receiver >= 0 {
		v.see(t, receiver, "(*Socket)", "meanwhile a goroutine is using a socket: it isn't closed")
		v.Others = append(v.Others, Candidate{"close-while-recv", "that socket was closed under the goroutine, which is why it never returns"})
	}
	v.Others = append(v.Others,
		Candidate{"infinite-linger", "every socket was closed, but one has an unsent message, and LINGER is at libzmq's default of -1"},
		Candidate{"auth-stop", "AuthStart was called, and AuthStop was not"},
		Candidate{"slow-dns", "a socket was connected to a host name, and the name server doesn't answer"})
	v.Next = []string{"which sockets were made, and which of them closed: a goroutine dump doesn't show sockets that no goroutine is using", threadStack}
}
