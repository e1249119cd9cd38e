package diagnose

import (
	"regexp"
	"strconv"
	"strings"
)

// trace is a report, parsed.
type trace struct {
	lines   []string
	aborts  []abort
	stacks  []stack
	release string // "" when neither given nor found
}

// abort is the line that libzmq prints before it aborts: what failed, then the place in parentheses, as in
// "Bad file descriptor (src/epoll.cpp:100)".
type abort struct {
	line     int    // index into trace.lines
	reason   string // text before the place; a log may have put more in front
	file     string // base name
	fileLine int
}

var (
	// libzmq's files lie in a directory src, and the compiler may have been given a path to it or none.
	abortPlace = regexp.MustCompile(`\((?:(?:[^()\s]*[/\\])?src[/\\])?(\w+\.[ch]pp):(\d+)\)`)

	releaseForm   = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	releaseInText = regexp.MustCompile(`(?:zmq|ZMQ|zeromq\d?|ZeroMQ)(?:\.so\.|[-_/ =@]v?)([45])\.(\d+)\.(\d+)`)
)

func parse(text, release string) *trace {
	text = strings.ToValidUTF8(text, "?")
	t := &trace{lines: strings.Split(text, "\n"), release: release}
	for i, line := range t.lines {
		line = strings.TrimRight(line, "\r")
		t.lines[i] = line
		// Cheap tests come before regular expressions, here and for the stacks: a report may be megabytes of log.
		if strings.Contains(line, "pp:") {
			if m := abortPlace.FindStringSubmatchIndex(line); m != nil {
				n, _ := strconv.Atoi(line[m[4]:m[5]])
				t.aborts = append(t.aborts, abort{line: i, reason: strings.TrimSpace(line[:m[0]]), file: line[m[2]:m[3]], fileLine: n})
			}
		}
		if t.release == "" && containsAny(line, "zmq", "ZMQ", "zeromq", "ZeroMQ") {
			t.release = findRelease(line)
		}
	}
	t.stacks = parseStacks(t.lines)
	return t
}

// findRelease finds libzmq's release in a line, also when it is given as the shared object's version: that of 4.3.4 is 5.2.4.
func findRelease(line string) string {
	m := releaseInText.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	major, minor, patch := m[1], m[2], m[3]
	if major == "5" {
		n, _ := strconv.Atoi(minor)
		major, minor = "4", strconv.Itoa(n+1)
	}
	return major + "." + minor + "." + patch
}

// find returns the index of the first line with any of the texts, or -1.
func (t *trace) find(texts ...string) int {
	for i, line := range t.lines {
		if containsAny(line, texts...) {
			return i
		}
	}
	return -1
}

// quote makes evidence of a line. A line can be very long, a log record with the whole report in it: then the part around
// the text is quoted.
func (t *trace) quote(line int, around, means string) Evidence {
	const most, before = 160, 40
	s := strings.TrimSpace(t.lines[line])
	if len(s) > most {
		from := min(max(strings.Index(s, around)-before, 0), len(s)-most)
		s = strings.ToValidUTF8(s[from:from+most], "")
		s = "… " + strings.TrimSpace(s) + " …"
	}
	return Evidence{Line: line + 1, Text: s, Means: means}
}

// crashed says whether the report is of a program that died, rather than of one that was asked where it hangs.
func (t *trace) crashed() bool {
	if len(t.aborts) > 0 {
		return true
	}
	for _, line := range t.lines {
		if containsAny(line, "SIGABRT", "SIGSEGV", "SIGBUS", "Segmentation fault", "fatal error: ", "panic: ") &&
			!strings.Contains(line, "panic: test timed out") {
			return true
		}
	}
	return false
}

func containsAny(s string, texts ...string) bool {
	for _, text := range texts {
		if strings.Contains(s, text) {
			return true
		}
	}
	return false
}
