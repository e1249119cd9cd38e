package main

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

// exited and killed make the statuses that wait(2) reports.
func exited(status int) syscall.WaitStatus            { return syscall.WaitStatus(status << 8) }
func killed(signal syscall.Signal) syscall.WaitStatus { return syscall.WaitStatus(signal) }

func TestClassify(t *testing.T) {
	const goDump = "PC=0x7f0a48f76eec m=0 sigcode=18446744073709551610\nsignal arrived during cgo execution\n\ngoroutine 1 ..."
	tests := map[string]struct {
		status syscall.WaitStatus
		stderr string
		want   result
	}{
		"clean":                       {exited(0), "", result{Outcome: clean}},
		"clean, with a warning":       {exited(0), "WARN 3 sockets\n", result{Outcome: clean}},
		"errno_assert, I/O thread":    {killed(syscall.SIGABRT), "Bad file descriptor (src/epoll.cpp:100)\n", result{Outcome: abort, Abort: "Bad file descriptor (src/epoll.cpp:100)"}},
		"errno_assert, Go's thread":   {exited(2), "Bad file descriptor (src/signaler.cpp:345)\nSIGABRT: abort\n" + goDump, result{Outcome: abort, Abort: "Bad file descriptor (src/signaler.cpp:345)"}},
		"zmq_assert":                  {killed(syscall.SIGABRT), "Assertion failed: pfd.revents & POLLIN (src/signaler.cpp:265)\n", result{Outcome: abort, Abort: "Assertion failed: pfd.revents & POLLIN (src/signaler.cpp:265)"}},
		"after something else":        {killed(syscall.SIGABRT), "starting\nAssertion failed: s (./src/ctx.cpp:169)\n", result{Outcome: abort, Abort: "Assertion failed: s (./src/ctx.cpp:169)"}},
		"abort without a word":        {killed(syscall.SIGABRT), "", result{Outcome: abort}},
		"core dumped":                 {killed(syscall.SIGABRT) | 0x80, "", result{Outcome: abort}},
		"corrupted heap, SIGABRT":     {killed(syscall.SIGABRT), "malloc(): unaligned tcache chunk detected\n", result{Outcome: crash}},
		"corrupted heap, Go's thread": {exited(2), "double free or corruption (out)\nSIGABRT: abort\n" + goDump, result{Outcome: crash}},
		"corrupted heap, old glibc":   {killed(syscall.SIGABRT), "demo: malloc.c:2385: sysmalloc: Assertion `x' failed.\n", result{Outcome: crash}},
		"SIGSEGV":                     {killed(syscall.SIGSEGV), "", result{Outcome: crash}},
		"SIGSEGV, Go's thread":        {exited(2), "SIGSEGV: segmentation violation\n" + goDump, result{Outcome: crash}},
		"Go fatal error":              {exited(2), "fatal error: runtime: netpoll failed\n", result{Outcome: crash}},
		"panic":                       {exited(2), "panic: close of closed channel\n", result{Outcome: crash}},
		"killed by somebody":          {killed(syscall.SIGKILL), "", result{Outcome: crash}},
		"lost":                        {exited(3), "raw exit-after-send: lost 97 of 100\n", result{Outcome: lost, Lost: 97, Of: 100}},
		"error":                       {exited(1), "raw fd-sweep: no such file\n", result{Outcome: failed}},
		"skipped":                     {exited(4), "raw slow-dns: skipped: it needs this\n", result{Outcome: skipped, Reason: "it needs this"}},
		"wrong usage is no crash":     {exited(2), "zmq-exit-demo run: unknown hazard\n", result{Outcome: failed}},
		"race detector":               {exited(66), "WARNING: DATA RACE\n", result{Outcome: failed}},
		"abort line without an abort": {exited(1), "Bad file descriptor (src/epoll.cpp:100)\n", result{Outcome: failed}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.Stderr = test.stderr
			assert.Equal(t, test.want, classify(test.status, test.stderr))
		})
	}
}

func TestInAddFd(t *testing.T) {
	for line, releases := range map[string][]string{
		"Bad file descriptor (src/epoll.cpp:90)":                      {"4.2.4", "4.2.5"},
		"Bad file descriptor (src/epoll.cpp:100)":                     {"4.3.1", "4.3.4"},
		"Bad file descriptor (./src/epoll.cpp:100)":                   {"4.3.4"},
		"Bad file descriptor (epoll.cpp:100)":                         {"4.3.4"},
		"Bad file descriptor (/build/zeromq3-4.3.5/src/epoll.cpp:73)": {"4.3.5"},
	} {
		for _, release := range releases {
			assert.True(t, inAddFd(line, release), "%s in %s", line, release)
		}
	}
	for line, release := range map[string]string{
		"":                                       "4.3.4",
		"Bad file descriptor (src/epoll.cpp:73)": "4.3.4",
		"Bad file descriptor (src/epoll.cpp:100)":    "4.3.5",
		"Bad file descriptor (src/epoll.cpp:113)":    "4.3.4", // rm_fd
		"Bad file descriptor (src/epoll.cpp:187)":    "4.3.4", // loop
		"Invalid argument (src/epoll.cpp:100)":       "4.3.4",
		"Bad file descriptor (src/notepoll.cpp:100)": "4.3.4",
	} {
		assert.False(t, inAddFd(line, release), "%s in %s", line, release)
	}
}
