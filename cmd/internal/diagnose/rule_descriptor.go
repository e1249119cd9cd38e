package diagnose

import (
	"fmt"
	"strings"
)

// descriptorFiles are the files of libzmq in which it aborts when one of its
// descriptors was closed.
const descriptorFiles = "epoll.cpp kqueue.cpp devpoll.cpp pollset.cpp poll.cpp select.cpp signaler.cpp ip.cpp tcp.cpp" +
	" tcp_connecter.cpp tcp_listener.cpp ipc_connecter.cpp ipc_listener.cpp stream_connecter_base.cpp stream_listener_base.cpp"

// descriptorErrors are the errors for a descriptor that was closed, and then
// for one whose number is used again.
var descriptorErrors = []string{"Bad file descriptor", "No such file or directory", "File exists", "Operation not permitted"}

// descriptorClosed: something else closed descriptors of libzmq. The thread
// that noticed tells what: a connecter on an I/O thread, at its next attempt,
// or the reaper, when the socket was closed.
func descriptorClosed(t *trace) *Verdict {
	v := &Verdict{}
	stack := t.crashStack()
	a, ok := t.abortWith(descriptorFiles, descriptorErrors[0])
	if !ok {
		a, ok = t.abortWith("epoll.cpp", descriptorErrors[1:]...)
	}
	switch {
	case ok && a.file == "epoll.cpp":
		functions, note := epollFunction(t, a)
		if len(functions) == 0 && t.release == "" && !t.mentionsLibzmq() {
			return nil
		}
		v.Functions = functions
		v.see(t, a.line, a.file, "a descriptor that libzmq had open was closed or replaced; "+note)
	case ok:
		v.see(t, a.line, a.file, "a descriptor that libzmq had open was closed")
	case stack != nil && stack.frame("epoll_t::") >= 0:
		function, line := epollFrame(stack)
		if function == "" {
			return nil
		}
		v.Functions = []Function{{Name: function}}
		v.see(t, line, function, "libzmq aborted in "+function+": the kernel refused the descriptor")
	default:
		return nil
	}
	noticedBy(t, stack, v)
	v.see(t, t.find("__run_exit_handlers"), "__run_exit_handlers",
		"a thread was inside C's exit, which calls atexit handlers: a C program with a Go library ends so, a Go program doesn't")
	if a.file == "epoll.cpp" && len(v.Functions) != 1 {
		v.Next = append(v.Next, whichLibzmq)
	}
	return v
}

// noticedBy adds the thread that noticed, and what follows from it.
func noticedBy(t *trace, stack *stack, v *Verdict) {
	sweep := Candidate{"fd-sweep", "the program, or a library that it uses, closes many descriptors at once while sockets are open"}
	stray := Candidate{"stray-close", "somebody took a descriptor from GetFd and owns it: os.NewFile, net.FileConn, close"}
	bug := Candidate{"a bug in libzmq", "descriptors ran out (ulimit -n): start_connecting goes on without a socket when errno is stale; then it happens at any time, not only at exit"}
	if stack == nil {
		v.Hazard, v.Confidence, v.Others = sweep.Hazard, Low, []Candidate{stray}
		v.Next = []string{gdbLive, gdbCore}
		return
	}

	connecter := stack.frame("tcp_connecter_t::start_connecting", "tcp_connecter_t::open", "ipc_connecter_t::start_connecting")
	timers := stack.frame("poller_base_t::execute_timers")
	reaper := stack.frame("socket_base_t::start_reaping", "reaper_t::process_reap")
	v.see(t, connecter, "start_connecting", "a connecter was trying again to reach its peer")
	v.see(t, timers, "execute_timers", "the I/O thread was alive and running timers: the context had not been terminated")
	v.see(t, reaper, "reap", "the reaper was taking over a closed socket: the descriptor was closed before the socket was")
	ioThread := strings.HasPrefix(stack.thread, "ZMQbg/IO")
	reaperThread := strings.HasPrefix(stack.thread, "ZMQbg/Reaper")
	if ioThread {
		v.see(t, stack.line, "ZMQbg", stack.thread+" is an I/O thread of libzmq: it connects, sends and receives")
	} else if reaperThread {
		v.see(t, stack.line, "ZMQbg", stack.thread+" is the thread of libzmq that closed sockets are handed to")
	}

	switch {
	case connecter >= 0:
		v.Hazard, v.Confidence, v.Others = sweep.Hazard, High, []Candidate{bug}
	case reaper >= 0 || reaperThread:
		v.Hazard, v.Confidence, v.Others = stray.Hazard, High, []Candidate{sweep}
	case timers >= 0 || ioThread:
		v.Hazard, v.Confidence, v.Others = sweep.Hazard, Medium, []Candidate{stray, bug}
	default:
		v.Hazard, v.Confidence, v.Others = sweep.Hazard, Low, []Candidate{stray}
		v.Next = []string{gdbLive, gdbCore}
	}
}

// epollFunction names the function of an abort in epoll.cpp: the one in the
// stack or, if the stack doesn't tell, those for the line and the release.
func epollFunction(t *trace, a abort) (functions []Function, note string) {
	if stack := t.crashStack(); stack != nil {
		if name, _ := epollFrame(stack); name != "" {
			return []Function{{Name: name}}, "the stack says it aborted in " + name
		}
	}
	functions = EpollFunctions(a.fileLine, t.release)
	switch {
	case len(functions) == 0 && knownRelease(t.release):
		return nil, fmt.Sprintf("but line %d of epoll.cpp can't abort in libzmq %s", a.fileLine, t.release)
	case len(functions) == 0:
		return nil, fmt.Sprintf("but line %d of epoll.cpp can't abort in a release known here", a.fileLine)
	case knownRelease(t.release):
		return functions, fmt.Sprintf("in libzmq %s line %d is %s", t.release, a.fileLine, functions[0].Name)
	}
	return functions, "in which function depends on libzmq's release"
}

func epollFrame(s *stack) (function string, line int) {
	for _, function := range epollFunctions {
		// Every stack of an I/O thread has the loop in it, so only an abort
		// line can point at it. The same applies to the constructor.
		if function == "epoll_t::loop" || function == "epoll_t::epoll_t" {
			continue
		}
		if line := s.frame(function); line >= 0 {
			return function, line
		}
	}
	return "", -1
}

// mentionsLibzmq reports whether the program uses libzmq at all.
func (t *trace) mentionsLibzmq() bool {
	return t.find("zmq::", "libzmq", "ZMQbg/", "zmq4", "_ZN3zmq") >= 0
}

// goPollerClosed: a sweep closed the descriptor of Go's own poller, too, and Go
// noticed first.
func goPollerClosed(t *trace) *Verdict {
	line := t.find("runtime: netpoll failed")
	if line < 0 {
		return nil
	}
	v := &Verdict{Hazard: "fd-sweep", Confidence: Medium}
	v.see(t, t.find("runtime: epollwait on fd"), "epollwait", "the descriptor of Go's own poller is not open any more (9 is EBADF)")
	v.see(t, line, "netpoll", "Go can't wait for files and connections: its poller's descriptor was closed, which a sweep over all descriptors does")
	v.Others = []Candidate{{"stray-close", "one descriptor was closed twice, and the number belonged to Go's poller by then"}}
	v.Next = []string{"which code closes descriptors by number: strace -f -k -e trace=close,close_range ./program"}
	return v
}
