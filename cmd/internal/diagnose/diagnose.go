// Package diagnose names the exit hazard, or another cause, that a crash report
// matches.
//
// A report is whatever the crash left: the line that libzmq printed before it
// aborted, a backtrace (gdb, glog, systemd-coredump, backtrace_symbols; with
// C++ names, mangled or not, or with ?? in their place), or the goroutines that
// Go printed. Other text around it doesn't matter.
//
// [Read] parses the report (trace.go, stack.go) and asks the rules for one that
// matches (rules.go and the rule_*.go files). A rule names a hazard only if it
// can quote a line as evidence. Rules are code and not part of a hazard's text,
// because most lines are evidence for several hazards.
package diagnose

import (
	"fmt"
	"io"
	"slices"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
)

// Unknown is the Hazard of a [Verdict] if no hazard matched.
const Unknown = "unknown"

// MaxSize is the size of the largest report that is accepted, in bytes.
const MaxSize = 16 << 20

// Confidence tells how much the quoted lines prove.
type Confidence string

const (
	High   Confidence = "high"   // the lines leave little else
	Medium Confidence = "medium" // the usual cause, but others leave these lines, too
	Low    Confidence = "low"    // one of several causes that leave these lines
)

// Verdict is the result of reading a report.
type Verdict struct {
	Hazard     string      `json:"hazard"` // or another cause that package explain knows, or Unknown
	Confidence Confidence  `json:"confidence,omitempty"`
	Cause      string      `json:"cause,omitempty"`
	Why        []Evidence  `json:"why,omitempty"`
	Functions  []Function  `json:"functions,omitempty"` // where libzmq aborted; several if that depends on the release
	Release    string      `json:"libzmq,omitempty"`    // as given, or as found in the report
	Others     []Candidate `json:"others,omitempty"`
	Remedy     string      `json:"remedy,omitempty"`
	Next       []string    `json:"next,omitempty"` // what to collect to be surer
}

// Evidence is a line of the report that speaks for the hazard.
type Evidence struct {
	Line  int    `json:"line"` // from 1
	Text  string `json:"text"`
	Means string `json:"means"`
}

// Candidate is another hazard that would leave the same lines.
type Candidate struct {
	Hazard string `json:"hazard"`
	When   string `json:"when"`
}

// CheckRelease returns the error that [Read] returns for a malformed release,
// before there is anything to read.
func CheckRelease(release string) error {
	if release != "" && !releaseForm.MatchString(release) {
		return fmt.Errorf("%q is not a release of libzmq: give three numbers, such as 4.3.4", release)
	}
	return nil
}

// Read reads a report to its end and returns the verdict. The release is that
// of libzmq, such as "4.3.4"; if it is empty, Read looks for it in the report.
// Read fails if r does, for a report larger than [MaxSize], and for a malformed
// release. A report that matches nothing is no error: the verdict is [Unknown].
func Read(r io.Reader, release string) (Verdict, error) {
	if err := CheckRelease(release); err != nil {
		return Verdict{}, err
	}
	text, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return Verdict{}, fmt.Errorf("reading the report: %w", err)
	}
	if len(text) > MaxSize {
		return Verdict{}, fmt.Errorf("the report is larger than %d MiB: cut it down to the abort line and the stacks", MaxSize>>20)
	}
	t := parse(string(text), release)
	asked := rules
	if !t.crashed() {
		asked = slices.Concat(rules, hangRules)
	}
	for _, rule := range asked {
		if v := rule(t); v != nil {
			v.Release = t.release
			about, _ := explain.Find(v.Hazard)
			v.Cause, v.Remedy = about.Cause, about.Remedy
			return *v, nil
		}
	}
	return unknown(t), nil
}
