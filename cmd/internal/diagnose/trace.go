package diagnose

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// trace is a report, parsed.
type trace struct {
	lines   []string
	aborts  []abort
	stacks  []*stack
	release string // "" if neither given nor found
}

// abort is the line that libzmq prints before it aborts: what failed, then the
// place in parentheses, as in "Bad file descriptor (src/epoll.cpp:100)".
type abort struct {
	line     int    // index into trace.lines
	before   string // the line before: the reason may begin there
	reason   string // text before the place; a log may have put more in front
	file     string // base name
	fileLine int
}

var (
	// The files of libzmq are in a directory src, or in one whose name tells.
	// The compiler may have been given a path to it, or none.
	abortPlace = regexp.MustCompile(`\((?:(?:[^()\s]*[/\\])?src[/\\]|(?i:[^()\s]*(?:zmq|zeromq)[^()\s]*[/\\]))?(\w+\.[ch]pp):(\d+)\)`)
	// gdb, with symbols: what failed, and the place in the next frame.
	abortMessage = regexp.MustCompile(`zmq_abort \( ?errmsg_=.*"(.*)"`)
	framePlace   = regexp.MustCompile(` at (?:[^()\s]*[/\\])?(\w+\.[ch]pp):(\d+)$`)

	releaseForm   = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	releaseInText = regexp.MustCompile(`(?:zmq|ZMQ|zeromq\d?|ZeroMQ)(?:\.so\.|[-_/ =@]v?)([45])\.(\d+)\.(\d+)`)
)

func parse(text, release string) *trace {
	text = strings.ToValidUTF8(text, "?")
	t := &trace{lines: strings.Split(text, "\n"), release: release}
	for i, line := range t.lines {
		t.lines[i] = strings.TrimRight(line, "\r")
	}
	for i, line := range t.lines {
		// A report may be megabytes of log, so cheap tests come before regular
		// expressions, here and for the stacks.
		if a, ok := findAbort(line); ok {
			a.line = i
			if i > 0 {
				a.before = t.lines[i-1]
			}
			t.aborts = append(t.aborts, a)
		} else if i > 0 && strings.LastIndexByte(t.lines[i-1], '(') > strings.LastIndexByte(t.lines[i-1], ')') {
			if a, ok := findAbort(t.lines[i-1] + strings.TrimLeft(line, " \t")); ok { // broken within the place
				a.line = i - 1
				if i > 1 {
					a.before = t.lines[i-2]
				}
				t.aborts = append(t.aborts, a)
			}
		}
		if t.release == "" && containsAny(line, "zmq", "ZMQ", "zeromq", "ZeroMQ") {
			t.release = findRelease(line)
		}
	}
	t.stacks = parseStacks(t.lines)
	if len(t.aborts) == 0 {
		t.aborts = abortsInFrames(t.stacks)
	}
	return t
}

// findAbort finds what libzmq printed in a line.
func findAbort(line string) (abort, bool) {
	if !strings.Contains(line, "pp:") {
		return abort{}, false
	}
	m := abortPlace.FindStringSubmatchIndex(line)
	if m == nil {
		return abort{}, false
	}
	n, _ := strconv.Atoi(line[m[4]:m[5]])
	return abort{reason: strings.TrimSpace(line[:m[0]]), file: line[m[2]:m[3]], fileLine: n}, true
}

// abortsInFrames finds what failed in the arguments of zmq_abort.
func abortsInFrames(stacks []*stack) (aborts []abort) {
	for _, s := range stacks {
		for i, f := range s.frames[:max(len(s.frames)-1, 0)] {
			what := abortMessage.FindStringSubmatch(f.text)
			if what == nil {
				continue
			}
			if place := framePlace.FindStringSubmatch(s.frames[i+1].text); place != nil {
				n, _ := strconv.Atoi(place[2])
				aborts = append(aborts, abort{line: f.line, reason: what[1], file: place[1], fileLine: n})
			}
		}
	}
	return aborts
}

// findRelease finds libzmq's release in a line, or the version of its shared
// object, which is 5.2.4 for 4.3.4.
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
	return slices.IndexFunc(t.lines, func(line string) bool { return containsAny(line, texts...) })
}

// findMatch is find for a regular expression.
func (t *trace) findMatch(text *regexp.Regexp) int {
	return slices.IndexFunc(t.lines, text.MatchString)
}

// quote makes evidence of a line. If the line is very long, such as a log
// record with the whole report in it, only the part around the text is quoted.
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

// see adds a line to the evidence, unless the line is -1.
func (v *Verdict) see(t *trace, line int, around, means string) {
	if line >= 0 {
		v.Why = append(v.Why, t.quote(line, around, means))
	}
}

// crashed reports whether the program died, rather than printed where it hangs.
func (t *trace) crashed() bool {
	return len(t.aborts) > 0 || slices.ContainsFunc(t.lines, func(line string) bool {
		return containsAny(line, "SIGABRT", "SIGSEGV", "SIGBUS", "Segmentation fault", "fatal error: ", "panic: ") &&
			!strings.Contains(line, "panic: test timed out")
	})
}

func containsAny(s string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(s, text) })
}
