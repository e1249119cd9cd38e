package diagnose

import (
	"regexp"
	"slices"
	"strings"
)

// outOfDescriptors are the errors for a limit of descriptors: that of the
// process, and that of the system.
var outOfDescriptors = []string{"Too many open files", "Too many open files in system"}

// noDescriptors: libzmq needed a descriptor and got none. Where that was
// doesn't matter.
func noDescriptors(t *trace) *Verdict {
	files := strings.Fields(descriptorFiles + " ip_resolver.cpp tcp_address.cpp")
	for _, a := range t.aborts {
		if a.ends(outOfDescriptors...) && slices.Contains(files, a.file) {
			v := &Verdict{Hazard: "no-descriptors", Confidence: High}
			v.see(t, a.line, a.file, "libzmq needed a descriptor, and the limit was reached")
			return v
		}
	}
	return nil
}

// heartbeatFullQueue: the engine of a connection had stopped reading, for want
// of room in the queue, and only heartbeats make it go on nonetheless.
func heartbeatFullQueue(t *trace) *Verdict {
	v := &Verdict{Hazard: "heartbeat-full-queue", Confidence: Medium}
	const engines = "stream_engine.cpp stream_engine_base.cpp"
	stack := t.crashStack()
	if a, ok := t.abortWith(engines, "input_stopped"); ok { // _input_stopped since 4.3.0
		v.see(t, a.line, a.file, "libzmq had room in the queue again, but meanwhile the connection had failed")
	} else if a, ok := t.abortWith(engines, "!io_error", "!_io_error"); ok {
		v.see(t, a.line, a.file, "libzmq used a connection that had failed while nothing was read from it")
	} else if line := stack.abortedIn("restart_input"); line >= 0 {
		v.see(t, line, "restart_input", "libzmq aborted when there was room in the queue again")
	} else if line := stack.abortedIn("out_event"); line >= 0 && stack.frame("timer_event") >= 0 {
		v.see(t, line, "out_event", "libzmq aborted when it wanted to send")
	} else {
		return nil
	}
	v.see(t, stack.frame("timer_event"), "timer_event", "a timer was due: a heartbeat")
	v.Next = []string{"whether the program sets ZMQ_HEARTBEAT_IVL and which RCVHWM: other causes of this aren't known here"}
	return v
}

// halfSentMessage: libzmq wanted to drop the rest of a message and couldn't
// read it.
func halfSentMessage(t *trace) *Verdict {
	v := &Verdict{Hazard: "half-sent-message", Confidence: High}
	stack := t.crashStack()
	if a, ok := t.abortWith("session_base.cpp", "Resource temporarily unavailable"); ok {
		v.see(t, a.line, a.file, "a connection ended in the middle of a message whose rest was given up already")
	} else if line := stack.abortedIn("session_base_t::clean_pipes", "session_base_t::engine_error"); line >= 0 {
		v.see(t, line, "session_base_t", "libzmq aborted while it gave up the rest of a message")
		v.Confidence = Medium
	} else {
		return nil
	}
	v.see(t, stack.frame("zmq_close", "zmq4.(*Socket).Close"), "lose", "meanwhile the program closed a socket")
	return v
}

// highWaterMark matches what libzmq does when a high-water mark is set.
var highWaterMark = regexp.MustCompile(`update_pipe_options|send_hwms_to_peer|(send|process)_pipe_hwm`)

// lateHighWaterMark: libzmq told a peer's end of a pipe of a new mark, and that
// was freed memory. Its own thread has found that out in all crashes so far,
// and then gdb shows the function in the line of source below the signal.
func lateHighWaterMark(t *trace) *Verdict {
	line := t.findMatch(highWaterMark)
	if line < 0 || !t.crashed() {
		return nil
	}
	v := &Verdict{Hazard: "late-high-water-mark", Confidence: High}
	v.see(t, line, highWaterMark.FindString(t.lines[line]), "libzmq crashed when it told a peer's end of a pipe of a new high-water mark")
	return v
}

// zapServerConnects: the assertion is gone since 4.2.3.
func zapServerConnects(t *trace) *Verdict {
	a, ok := t.abortWith("session_base.cpp", "zap_pipe == NULL")
	if !ok {
		return nil
	}
	v := &Verdict{Hazard: "zap-server-connects", Confidence: High}
	v.see(t, a.line, a.file, "a connection asked the authenticator a second time; libzmq 4.2.3 and later don't have this assertion")
	if t.release != "" && (strings.HasPrefix(t.release, "4.3.") || t.release == "4.2.3" || t.release == "4.2.4" || t.release == "4.2.5") {
		v.Why[0].Means += ", so it isn't libzmq " + t.release + " that aborted here: an older one was loaded"
	}
	return v
}

// forks matches what only a program with processes that it has forked leaves.
var forks = regexp.MustCompile(strings.Join([]string{
	`\b\w*fork(\(| \(\))`, // a call, and a frame of one
	`\b(worker|child|process)( \d+)? forked\b`,
	`\bforked (workers?|child|children|process|processes)\b`,
	`/multiprocessing/`,            // a traceback of Python
	`\bBooting worker with pid`,    // gunicorn
	`\bspawned uWSGI worker`,       // uWSGI
	`\bchild \d+ exited on signal`, // PHP-FPM
	`\bchild pid \d+ exit signal`,  // Apache
}, "|"))

// forkedContext: a mailbox was signalled and there was no command in it. That
// takes two who read it: two processes, or two threads. Only what stands around
// it tells which.
func forkedContext(t *trace) *Verdict {
	a, ok := t.abortWith("mailbox.cpp", "Assertion failed: ok", "ok")
	what := "a socket or thread of libzmq was woken for a command, and there was none"
	if !ok {
		a, ok = t.abortWith("signaler.cpp", "Resource temporarily unavailable")
		what = "a socket or thread of libzmq was woken, and somebody else had taken that"
	}
	if !ok {
		return nil
	}
	v := &Verdict{Hazard: "shared-socket", Confidence: Low}
	v.see(t, a.line, a.file, what)
	shared := Candidate{"shared-socket", "several threads of one process use a socket"}
	forked := Candidate{"forked-context", "a process that has a context forked, and the child used or closed it"}
	stack, use := t.crashStack(), t.sharedUses()
	switch inGo := stack.frame("zmq4._C", "zmq4.(*Socket)"); {
	case use != nil:
		t.quoteShared(v, use)
		return v
	case inGo >= 0:
		v.Confidence = Medium // a Go program doesn't fork
		v.see(t, inGo, "zmq4", "this happened to a Go program, in a call on a socket: another goroutine was using it, too")
		v.Others = []Candidate{{"close-while-recv", "the socket was closed while it was in use"}}
	default:
		v.Others = []Candidate{{"close-while-recv", "the socket was closed while another goroutine was using it"}, forked}
		if line := t.findMatch(forks); line >= 0 && t.findMatch(goroutineHeader) < 0 {
			v.Hazard, v.Confidence = forked.Hazard, Medium
			v.see(t, line, forks.FindString(t.lines[line]), "there is talk of child processes, which share what wakes libzmq with their parent")
			v.Others = []Candidate{shared}
		}
	}
	v.Next = []string{goroutines, gdbLive, gdbCore}
	return v
}
