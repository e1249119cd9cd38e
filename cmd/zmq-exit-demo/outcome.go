package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
	"github.com/zmqsafe/zmq-exit/cmd/internal/diagnose"
)

// outcome is how a hazard's program ended.
type outcome string

const (
	clean  outcome = "clean"
	abort  outcome = "abort" // SIGABRT: libzmq found something impossible
	crash  outcome = "crash" // any other fatal signal, Go fatal error, or a corrupted heap
	hang   outcome = "hang"  // still running at the deadline
	lost   outcome = "lost"  // messages are missing
	failed outcome = "error" // the program returned an error

	skipped outcome = "skipped" // this system can't show it: neither good nor bad
)

// outcomes lists all of them in the order in which they are printed.
var outcomes = []outcome{clean, abort, crash, hang, lost, failed, skipped}

// result is how one run of a program ended.
type result struct {
	Outcome  outcome
	Abort    string // the line that libzmq printed before it aborted
	Lost, Of int    // messages, if Outcome is lost
	Reason   string // what is missing, if Outcome is skipped
	Stderr   string
}

var (
	// libzmq's errno_assert and zmq_assert end in the file and the line.
	assertLine = regexp.MustCompile(`(?m)^.+ \(\S+\.[ch]pp:\d+\)$`)

	epollLine = regexp.MustCompile(`^Bad file descriptor \((?:\S*/)?epoll\.cpp:(\d+)\)$`)

	// glibc's malloc aborts, too, but after a wild write, not an assertion.
	heapLine = regexp.MustCompile(`(?m)^[a-z_]+\(\): |^double free or corruption|^corrupted |malloc\.c:\d+`)

	// Go prints one of these when it dies by itself, with status 2.
	goCrash = regexp.MustCompile(`(?m)^(fatal error|panic|SIG[A-Z]+): `)

	skipLine = regexp.MustCompile(`(?m)\bskipped: (.+)$`)

	lostLine = regexp.MustCompile(`(?m)\blost (\d+) of (\d+)$`)
)

// classify tells how a process ended, from its status and what it wrote to
// standard error. The Go runtime turns a SIGABRT on one of its threads into a
// dump of the goroutines and status 2.
func classify(status syscall.WaitStatus, stderr string) result {
	r := result{Outcome: failed, Stderr: stderr}
	aborted := status.Signaled() && status.Signal() == syscall.SIGABRT ||
		status.ExitStatus() == 2 && strings.Contains(stderr, "SIGABRT: abort")
	switch {
	case aborted && heapLine.MatchString(stderr):
		r.Outcome = crash
	case aborted:
		r.Outcome = abort
		r.Abort = assertLine.FindString(stderr)
	case status.Signaled(), status.ExitStatus() == 2 && goCrash.MatchString(stderr):
		r.Outcome = crash
	case status.ExitStatus() == cli.OK:
		r.Outcome = clean
	case status.ExitStatus() == exitLost:
		r.Outcome = lost
		if m := lostLine.FindStringSubmatch(stderr); m != nil {
			r.Lost, _ = strconv.Atoi(m[1])
			r.Of, _ = strconv.Atoi(m[2])
		}
	case status.ExitStatus() == exitSkipped:
		r.Outcome = skipped
		if m := skipLine.FindStringSubmatch(stderr); m != nil {
			r.Reason = m[1]
		}
	}
	return r
}

// inAddFd reports whether an abort line is that of epoll_t::add_fd in a release
// of libzmq such as "4.3.4". The directory depends on how libzmq was built.
func inAddFd(line, release string) bool {
	m := epollLine.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	n, _ := strconv.Atoi(m[1])
	return slices.ContainsFunc(diagnose.EpollFunctions(n, release), func(f diagnose.Function) bool {
		return f.Name == "epoll_t::add_fd"
	})
}
