package diagnose

import (
	"regexp"
	"strconv"
	"strings"
)

// stack is the frames of one goroutine or thread, innermost first.
type stack struct {
	goroutine bool
	line      int    // index of the line that announces it, else of its first frame
	thread    string // a thread's name, where the report tells: libzmq calls its own ZMQbg/IO/0 and ZMQbg/Reaper
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
	// gdb: the thread that a signal stopped, the current one in "info threads", and a heading of "thread apply all bt".
	threadName = regexp.MustCompile(`^(?:Thread \d+ "([^"]*)" .*received signal|\* \d+ +Thread .*\) "([^"]*)"|Thread \d+ \(.* "([^"]*)"\):)`)

	abortFrame  = regexp.MustCompile(`\b(?:__GI_)?(?:abort|raise)\b|zmq_abort|pthread_kill|signal handler called`)
	libzmqFrame = regexp.MustCompile(`\bzmq::|_ZN3zmq|libzmq\.so|(?:^|[\s(])zmq_[a-z_]+ ?\(|/zmq4\._C`)
)

func parseStacks(lines []string) []stack {
	var stacks []stack
	var current *stack // the one that is being read, or nil
	var next stack     // announced, without frames yet
	begin := func(s stack) {
		stacks = append(stacks, s)
		current = &stacks[len(stacks)-1]
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
		case strings.Contains(line, " <- ") && strings.Contains(line, "_t::"): // a stack as people write it in prose
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
	if !strings.HasPrefix(line, "Thread ") && !strings.HasPrefix(line, "* ") {
		return "", false
	}
	m := threadName.FindStringSubmatch(line)
	if m == nil {
		return "", false
	}
	return m[1] + m[2] + m[3], true
}

// frame returns the index of the line with the innermost frame that names any of the functions, or -1. A C++ function may
// be written in full, as epoll_t::add_fd, and is then found mangled, too.
func (s *stack) frame(functions ...string) int {
	for _, f := range s.frames {
		for _, function := range functions {
			if strings.Contains(f.text, function) || strings.Contains(f.text, mangled(function)) {
				return f.line
			}
		}
	}
	return -1
}

// proxyFrame is frame for a proxy's main loop.
func (s *stack) proxyFrame() int {
	return s.frame("zmq4.Proxy", "zmq4_proxy", "zmq_proxy", "zmq::proxy")
}

// mangled returns the part of a C++ symbol that names function: 7epoll_t6add_fdE for epoll_t::add_fd.
func mangled(function string) string {
	class, method, ok := strings.Cut(function, "::")
	if !ok {
		return function
	}
	return strconv.Itoa(len(class)) + class + strconv.Itoa(len(method)) + method + "E"
}

// crashStack returns the stack that died: the thread that called abort, else the first that is listed after a signal.
// It returns nil when the report doesn't tell.
func (t *trace) crashStack() *stack {
	var threads, goroutines []*stack
	for i := range t.stacks {
		if s := &t.stacks[i]; s.goroutine {
			goroutines = append(goroutines, s)
		} else {
			threads = append(threads, s)
		}
	}
	for _, s := range threads {
		for _, f := range s.frames {
			if abortFrame.MatchString(f.text) {
				return s
			}
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

// inLibzmq returns the line of the innermost frame inside libzmq or a binding of it, or -1.
func (s *stack) inLibzmq() int {
	for _, f := range s.frames {
		if libzmqFrame.MatchString(f.text) {
			return f.line
		}
	}
	return -1
}
