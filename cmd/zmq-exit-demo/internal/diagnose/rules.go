package diagnose

import "strings"

// rules are asked in order, the most telling first. A rule returns nil when it doesn't fit.
var rules = []func(*trace) *Verdict{
	socketLimit,
	tooManyThreads,
	goPollerClosed,
	descriptorClosed,
	closedUnderReceiver,
	socketCorrupted,
	monitorStalls,
	termHangs,
	socketSharedNow,
	signalUnheard,
}

// What to collect to learn more.
const (
	gdbLive     = "the backtrace with thread names: gdb -batch -ex 'handle SIGURG nostop noprint' -ex run -ex 'info threads' -ex bt --args ./program"
	gdbCore     = "or of a core file: gdb -batch -ex 'info threads' -ex 'thread apply all bt' ./program core (coredumpctl gdb, with systemd)"
	goroutines  = "all goroutines: the whole text that Go printed, with GOTRACEBACK=all set; from a program that hangs: kill -QUIT its process id"
	allOutput   = "everything that the program printed to standard error: libzmq's abort line comes before Go's text"
	whichLibzmq = "libzmq's release: ldd ./program | grep libzmq, and the file that the link leads to (libzmq.so.5.2.4 is 4.3.4); give it with -libzmq"
	threadStack = "where libzmq's own threads are: gdb -batch -p its process id -ex 'thread apply all bt'"
)

func unknown(t *trace) Verdict {
	v := Verdict{Hazard: Unknown, Release: t.release}
	if len(t.aborts) > 0 {
		a := t.aborts[0]
		v.Why = append(v.Why, t.quote(a.line, a.file, "looks like an abort of libzmq, but one that no hazard here is known to cause"))
		if a.file == "epoll.cpp" {
			v.Functions, _ = epollFunction(t, a)
		}
	}
	v.Next = []string{allOutput, gdbLive, gdbCore, goroutines, whichLibzmq}
	return v
}

// abortWith returns the first abort in one of the files (separated by blanks; "" is any) whose reason ends in one of
// reasons. Reasons are compared at their ends because a log may have put a time stamp in front.
func (t *trace) abortWith(files string, reasons ...string) (abort, bool) {
	for _, a := range t.aborts {
		if files != "" && !containsWord(files, a.file) {
			continue
		}
		for _, reason := range reasons {
			if strings.HasSuffix(a.reason, reason) {
				return a, true
			}
		}
	}
	return abort{}, false
}

func containsWord(words, word string) bool {
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}
