// Package diagnose names the exit hazard that a crash report matches.
//
// A report is whatever the crash left: the line that libzmq printed before it aborted, a backtrace (gdb, glog,
// systemd-coredump, backtrace_symbols; with C++ names, mangled or not, or with ?? in their place), or the goroutines that Go
// printed. The text around it doesn't matter.
//
// [Read] parses the report (trace.go, stack.go) and asks the rules for one that fits (rules.go and the rule… files). A rule
// names a hazard only on a line that it can quote.
package diagnose

import (
	"fmt"
	"io"
)

// Unknown is the Hazard of a verdict when no hazard matched.
const Unknown = "unknown"

// MaxSize is how much of a report is accepted, in bytes.
const MaxSize = 16 << 20

// Confidence says how much the quoted lines prove.
type Confidence string

const (
	High   Confidence = "high"   // the lines leave little else
	Medium Confidence = "medium" // the usual cause, but others leave the same lines
	Low    Confidence = "low"    // one of several causes that leave the same lines
)

// Verdict is what a report was found to show.
type Verdict struct {
	Hazard     string      `json:"hazard"` // Unknown when nothing matched
	Confidence Confidence  `json:"confidence,omitempty"`
	Cause      string      `json:"cause,omitempty"`
	Why        []Evidence  `json:"why,omitempty"`
	Functions  []Function  `json:"functions,omitempty"` // where libzmq aborted; several when the release decides
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

// CheckRelease returns the error that Read returns for a malformed release, before there is anything to read.
func CheckRelease(release string) error {
	if release != "" && !releaseForm.MatchString(release) {
		return fmt.Errorf("%q is not a release of libzmq: give three numbers, such as 4.3.4", release)
	}
	return nil
}

// Read reads a report to its end and returns the verdict. Release is libzmq's, such as "4.3.4"; when it is empty, the
// report is searched for it. Errors come from r, from a report larger than MaxSize, and from a malformed release; that
// nothing matches is not an error, but the verdict [Unknown].
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
	for _, rule := range rules {
		if v := rule(t); v != nil {
			v.Release = t.release
			v.Cause = advice[v.Hazard].cause
			v.Remedy = advice[v.Hazard].remedy
			return *v, nil
		}
	}
	return unknown(t), nil
}
