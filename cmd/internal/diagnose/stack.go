package diagnose

import (
	"regexp"
	"strconv"
	"strings"
)

// stack is the frames of one goroutine or thread, innermost first.
type stack struct {
	goroutine bool
	line      int    // index of the line that announces it, or of its first frame
	thread    string // its name, if the report tells: libzmq's own are ZMQbg/IO/0 and ZMQbg/Reaper
	frames    []frame
}

type frame struct {
	line int
	text string
}

var (
	goroutineHeader = regexp.MustCompile(`^goroutine \d+ .*\[.*\]:$`)
	// gdb and systemd-coredump, glog, backtrace_symbols.
	threadFrame = regexp.MustCompile(`^\s*(#\d+\s|@\s+0x[0-9a-f]|\S+\(.*\) ?\[0x[0-9a-f]+\]$)`)
	// gdb: the thread that a signal stopped, the current one in "info threads",
	// and a heading of "thread apply all bt".
	threadName = regexp.MustCompile(`^(?:Thread \d+ "([^"]*)" .*received signal|\* \d+ +Thread .*\) "([^"]*)"|Thread \d+ \(.* "([^"]*)"\):)`)

	abortFrame  = regexp.MustCompile(`\b(?:__GI_)?(?:abort|raise)\b|zmq_abort|pthread_kill|signal handler called`)
	libzmqFrame = regexp.MustCompile(`\bzmq::|_ZN3zmq|libzmq\.so|(?:^|[\s(])zmq_[a-z_]+ ?\(|/zmq4\._C`)
)

func parseStacks(lines []string) []*stack {
	var stacks []*stack
	var current *stack // the one that is being read, or nil
	var next stack     // announced, without frames yet
	begin := func(s stack) {
		current = &s
		stacks = append(stacks, current)
	}
	for i, line := range lines {
		switch {
		case strings.HasPrefix(line, "goroutine ") && goroutineHeader.MatchString(line):
			begin(stack{goroutine: true, line: i})
		case current != nil && current.goroutine && line != "":
			if !strings.HasPrefix(line, "\t") { // those are places in the source
				current.frames = append(current.frames, frame{i, line})
			}
		case isThreadFrame(line):
			first := strings.HasPrefix(strings.TrimSpace(line), "#0")
			if first || current == nil {
				if next.thread == "" {
					next.line = i
				}
				begin(next)
				next = stack{}
			}
			current.frames = append(current.frames, frame{i, line})
		case current != nil && strings.HasPrefix(line, "    ") && len(current.frames) > 0: // gdb breaks long lines
			last := &current.frames[len(current.frames)-1]
			last.text += " " + strings.TrimLeft(line, " ")
		case strings.Contains(line, " <- ") && strings.Contains(line, "_t::"): // a stack as it is written in prose
			begin(stack{line: i})
			for text := range strings.SplitSeq(line, "<-") {
				current.frames = append(current.frames, frame{i, text})
			}
			current = nil
		default:
			if name, ok := announcedThread(line); ok {
				next = stack{line: i, thread: name}
				current = nil
			} else if line == "" {
				current = nil
			}
		}
	}
	return stacks
}

func isThreadFrame(line string) bool {
	s := strings.TrimLeft(line, " \t")
	return s != "" && (s[0] == '#' || s[0] == '@' || s[len(s)-1] == ']') && threadFrame.MatchString(line)
}

func announcedThread(line string) (name string, ok bool) {
	if strings.HasPrefix(line, "Thread ") || strings.HasPrefix(line, "* ") {
		if m := threadName.FindStringSubmatch(line); m != nil {
			return m[1] + m[2] + m[3], true
		}
	}
	return "", false
}

// frame returns the index of the line with the innermost frame that names any
// of the functions, or -1. It also finds the mangled name of a C++ function
// that is given in full, as epoll_t::add_fd.
func (s *stack) frame(functions ...string) int {
	if s == nil {
		return -1
	}
	for _, f := range s.frames {
		for _, function := range functions {
			if strings.Contains(f.text, function) || strings.Contains(f.text, mangled(function)) {
				return f.line
			}
		}
	}
	return -1
}

// abortedIn is frame for a thread of libzmq that aborted, and only for the
// frame that called zmq_abort or, with a function inlined, its caller.
func (s *stack) abortedIn(functions ...string) int {
	if s == nil {
		return -1
	}
	for i, f := range s.frames {
		if strings.Contains(f.text, "zmq_abort") {
			within := &stack{frames: s.frames[i+1 : min(i+3, len(s.frames))]}
			return within.frame(functions...)
		}
	}
	return -1
}

// proxyFrame is frame for the main loop of a proxy.
func (s *stack) proxyFrame() int {
	return s.frame("zmq4.Proxy", "zmq4_proxy", "zmq_proxy", "zmq::proxy")
}

// mangled returns the part of a C++ symbol that names the function:
// 7epoll_t6add_fdE for epoll_t::add_fd.
func mangled(function string) string {
	class, method, ok := strings.Cut(function, "::")
	if !ok {
		return function
	}
	return strconv.Itoa(len(class)) + class + strconv.Itoa(len(method)) + method + "E"
}

// crashStack returns the stack that crashed: the thread that called abort or,
// if none did, the first one after a signal. It returns nil if the report
// doesn't tell.
func (t *trace) crashStack() *stack {
	var threads, goroutines []*stack
	for _, s := range t.stacks {
		if s.goroutine {
			goroutines = append(goroutines, s)
		} else {
			threads = append(threads, s)
		}
	}
	for _, s := range threads {
		if s.match(abortFrame) >= 0 {
			return s
		}
	}
	switch {
	case len(threads) > 0 && t.crashed():
		return threads[0]
	// Go prints the goroutine that was in C first.
	case len(goroutines) > 0 && t.find("signal arrived during cgo execution") >= 0 && t.crashed():
		return goroutines[0]
	}
	return nil
}

// match returns the line of the innermost frame that matches, or -1.
func (s *stack) match(text *regexp.Regexp) int {
	for _, f := range s.frames {
		if text.MatchString(f.text) {
			return f.line
		}
	}
	return -1
}
