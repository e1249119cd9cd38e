package diagnose

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestAbortLineInAllItsForms gives each rule its line with other paths and line
// numbers, and broken as terminals do.
func TestAbortLineInAllItsForms(t *testing.T) {
	lines := map[string][]string{
		"heartbeat-full-queue": {
			"Assertion failed: _input_stopped (src/stream_engine_base.cpp:417)", "Assertion failed: input_stopped (src/stream_engine.cpp:443)",
			"Assertion failed: !_io_error (src/stream_engine_base.cpp:331)", "Assertion failed: !io_error (src/stream_engine.cpp:289)",
		},
		"half-sent-message":   {"Resource temporarily unavailable (src/session_base.cpp:260)"},
		"zap-server-connects": {"Assertion failed: zap_pipe == NULL (src/session_base.cpp:323)"},
		"no-descriptors": {
			"Too many open files (src/ip_resolver.cpp:542)", "Too many open files (src/tcp_address.cpp:203)", "Too many open files (src/ip.cpp:563)",
			"Too many open files in system (src/ip_resolver.cpp:542)", "Too many open files (src/epoll.cpp:65)", "Too many open files (src/signaler.cpp:612)",
		},
		"shared-socket":    {"Resource temporarily unavailable (src/signaler.cpp:345)", "Assertion failed: ok (src/mailbox.cpp:99)"},
		"close-while-recv": {"Assertion failed: pfd.revents & POLLIN (src/signaler.cpp:265)"},
	}
	for hazard, lines := range lines {
		for _, line := range lines {
			what, place, _ := strings.Cut(line, " (src/")
			file, number, _ := strings.Cut(strings.TrimSuffix(place, ")"), ":")
			for _, report := range []string{
				line,
				what + " (" + file + ":" + number + ")",
				what + " (" + file + ":1" + number + ")",
				what + " (../../../src/" + file + ":" + number + ")",
				what + " (/build/zeromq3-4.3.4/src/" + file + ":" + number + ")",
				what + " (/opt/libzmq/" + file + ":" + number + ")",
				what + ` (bundled\zeromq\src\` + file + ":" + number + ")",
				"2026-01-02T03:04:05Z app[7]: " + line + "\r",
				what + "\n(src/" + file + ":" + number + ")",
				what + " (src/" + file[:len(file)-3] + "\n" + file[len(file)-3:] + ":" + number + ")",
				what + " (src/" + file + ":" + number[:1] + "\n    " + number[1:] + ")",
				strings.Replace(line, " ", "\n", 1),
				line[:len(what)-2] + "\n" + line[len(what)-2:],
			} {
				for _, around := range []string{"", "starting\n", "Aborted (core dumped)\nstarting (again\n"} {
					v := diagnose(t, around+report+"\nAborted\n", "")
					assert.Equal(t, hazard, v.Hazard, "%q", around+report)
					assert.NotEmpty(t, v.Remedy, "%q", report)
				}
			}
			frames := "#0  __GI_raise (sig=sig@entry=6) at raise.c:51\n#1  0x1 in __GI_abort () at abort.c:79\n" +
				`#2  0x2 in zmq::zmq_abort (errmsg_=errmsg_@entry=0x3 "` + strings.TrimPrefix(what, "Assertion failed: ") + `") at src/err.cpp:88` + "\n"
			for _, caller := range []string{
				"#3  0x4 in zmq::some_t::f (this=0x5) at /home/user/libzmq/src/" + place[:len(place)-1],
				"#3  0x4 in zmq::some_t::f (\n    this=0x5)\n    at src/" + place[:len(place)-1],
			} {
				v := diagnose(t, frames+caller+"\n#4  0x6 in main () at main.c:7\n", "")
				assert.Equal(t, hazard, v.Hazard, "%q", frames+caller)
			}
		}
	}
}

// TestForkOrThreads: the same line has two causes, and what stands around it
// decides.
func TestForkOrThreads(t *testing.T) {
	const goroutine = "signal arrived during cgo execution\n\ngoroutine 7 [syscall]:\n" +
		"github.com/pebbe/zmq4._C2func_zmq_send(0x1, 0x2)\n\tx.go:1\ngithub.com/pebbe/zmq4.(*Socket).SendBytes(0x3, 0x4)\n\tx.go:2\n"
	for _, line := range []string{"Assertion failed: ok (src/mailbox.cpp:99)\n", "Resource temporarily unavailable (src/signaler.cpp:345)\n"} {
		for around, want := range map[string]struct {
			hazard     string
			confidence Confidence
		}{
			"":                                     {"shared-socket", Low},
			"fork()\nSIGABRT: abort\n" + goroutine: {"shared-socket", Medium},
			"goroutine 1 [running]:\nmain.fork(0x1)\n\tx.go:1\n": {"shared-socket", Low},

			"worker 3 forked\n":       {"forked-context", Medium},
			"forked workers 1 to 4\n": {"forked-context", Medium},
			"PHP Fatal error: in /srv/pool.php: pcntl_fork(): Error 12\n":  {"forked-context", Medium},
			"#7  0x00007f in __libc_fork () at ../sysdeps/nptl/fork.c:1\n": {"forked-context", Medium},
			"  pid = os.fork()\n":                                                   {"forked-context", Medium},
			"[INFO] Booting worker with pid: 31\n":                                  {"forked-context", Medium},
			"spawned uWSGI worker 1 (pid: 12, cores: 1)\n":                          {"forked-context", Medium},
			"WARNING: [pool www] child 12 exited on signal 6 (SIGABRT) after 3 s\n": {"forked-context", Medium},
			"[core:notice] AH00051: child pid 12 exit signal Aborted (6)\n":         {"forked-context", Medium},

			"PHP Warning: undefined variable in worker.php\n":  {"shared-socket", Low},
			"GET /index.php 200\n":                             {"shared-socket", Low},
			"[child 12] ends\n":                                {"shared-socket", Low},
			"node 7 has no child, node 8 has a child with 2\n": {"shared-socket", Low},
			"serving children\n":                               {"shared-socket", Low},
			"a fork of libzmq, a forked processor, forked from 4.3 (see the fork)\n": {"shared-socket", Low},
			"fork (deprecated) ignored; forklift(s) and forks: 2\n":                  {"shared-socket", Low},
			"User-Agent: gunicorn-probe; proxy to uwsgi\n":                           {"shared-socket", Low},
			"multiprocessing: off\n":                                                 {"shared-socket", Low},
		} {
			v := diagnose(t, line+around, "")
			assert.Equal(t, want.hazard, v.Hazard, "%q", line+around)
			assert.Equal(t, want.confidence, v.Confidence, "%q", line+around)
		}
	}
}

// TestLinesOfOtherPrograms: what looks alike and isn't.
func TestLinesOfOtherPrograms(t *testing.T) {
	for _, report := range []string{
		"Too many open files (src/server.cpp:12)\n",
		"accept: Too many open files\n",
		"Resource temporarily unavailable (src/session_cache.cpp:260)\n",
		"Assertion failed: zap_pipe == NULL (src/other.cpp:1)\n",
		"Assertion failed: _input_stopped (lib/stream_engine.c:1)\n",
		"panic: runtime error: invalid memory address or nil pointer dereference\n\ngoroutine 1 [running]:\nmain.(*Context).retry(0x0)\n\tx.go:1\n",
		"Assertion failed: ok (other/mailbox.cpp:99)\n",
	} {
		assert.Equal(t, Unknown, diagnose(t, report, "").Hazard, "%q", report)
	}
}
