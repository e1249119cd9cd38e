package diagnose

import (
	"slices"
	"strings"
)

// rules are asked in order, the most telling first. A rule returns nil if it
// doesn't match.
var rules = []func(*trace) *Verdict{
	socketLimit,
	tooManyThreads,
	noDescriptors,
	heartbeatFullQueue,
	halfSentMessage,
	lateHighWaterMark,
	zapServerConnects,
	usedAfterClose,
	goPollerClosed,
	descriptorClosed,
	closedUnderReceiver,
	forkedContext,
	socketCorrupted,
	abortedInReceive,
}

// hangRules are asked after rules, if the program hasn't crashed.
var hangRules = []func(*trace) *Verdict{
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
		v.see(t, a.line, a.file, "looks like an abort of libzmq, but no hazard here is known to cause it")
		if a.file == "epoll.cpp" {
			v.Functions, _ = epollFunction(t, a)
		}
	}
	v.Next = []string{allOutput, gdbLive, gdbCore, goroutines, whichLibzmq}
	return v
}

// abortWith returns the first abort in one of the files, which are separated by
// blanks, whose reason ends in one of the reasons.
func (t *trace) abortWith(files string, reasons ...string) (abort, bool) {
	for _, a := range t.aborts {
		if slices.Contains(strings.Fields(files), a.file) && a.ends(reasons...) {
			return a, true
		}
	}
	return abort{}, false
}

// ends reports whether the reason ends in one of the reasons. A log may have
// put a time stamp in front of it, and a terminal may have broken the line
// between words or within one.
func (a abort) ends(reasons ...string) bool {
	return slices.ContainsFunc(reasons, func(reason string) bool {
		return strings.HasSuffix(a.before+" "+a.reason, reason) || strings.HasSuffix(a.before+a.reason, reason)
	})
}
