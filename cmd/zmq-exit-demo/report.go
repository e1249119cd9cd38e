package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/pebbe/zmq4"
)

// report is the result of a measurement.
type report struct {
	Libzmq      string         `json:"libzmq"`
	Runs        int            `json:"runs"` // of each program, as asked for
	Deadline    string         `json:"deadline"`
	Hazards     []hazardReport `json:"hazards"`
	Interrupted bool           `json:"interrupted"`
	Shown       bool           `json:"shown"`
	Summary     string         `json:"summary"`
}

// hazardReport is one line of the table. A program that was not asked for has
// no tally.
type hazardReport struct {
	ID      string `json:"id"`
	Raw     *tally `json:"raw,omitempty"`
	Guarded *tally `json:"guarded,omitempty"`
}

func (h hazardReport) of(m mode) *tally {
	if m == raw {
		return h.Raw
	}
	return h.Guarded
}

// tally counts how the runs of one program ended.
type tally struct {
	Runs       int             `json:"runs"`
	Outcomes   map[outcome]int `json:"outcomes"`
	Lost       int             `json:"lost_messages"`
	Of         int             `json:"of_messages"`
	FirstAbort string          `json:"first_abort,omitempty"`
	InAddFd    int             `json:"aborts_in_add_fd"`
	SkippedFor string          `json:"skipped_for,omitempty"` // the reason, if runs were skipped
}

func newReport(s settings, libzmq string) *report {
	rep := &report{Libzmq: libzmq, Runs: s.Runs, Deadline: s.Deadline.String()}
	for _, h := range s.Hazards {
		line := hazardReport{ID: h.ID}
		for _, m := range s.Modes {
			if t := (&tally{Outcomes: map[outcome]int{}}); m == raw {
				line.Raw = t
			} else {
				line.Guarded = t
			}
		}
		rep.Hazards = append(rep.Hazards, line)
	}
	return rep
}

// loadedLibzmq is the release that this process runs with.
func loadedLibzmq() string {
	major, minor, patch := zmq4.Version()
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

func (rep *report) add(a attempt, r result) {
	for _, h := range rep.Hazards {
		if h.ID == a.hazard.ID {
			h.of(a.mode).add(r, rep.Libzmq)
		}
	}
}

func (t *tally) add(r result, libzmq string) {
	t.Runs++
	t.Outcomes[r.Outcome]++
	t.Lost += r.Lost
	t.Of += r.Of
	t.FirstAbort = cmp.Or(t.FirstAbort, r.Abort)
	t.SkippedFor = cmp.Or(t.SkippedFor, r.Reason)
	if inAddFd(r.Abort, libzmq) {
		t.InAddFd++
	}
}

// ended counts the runs that say something about the program.
func (t *tally) ended() int { return t.Runs - t.Outcomes[skipped] }

// judge decides whether the measurement shows what it must, and says so in one
// sentence. It judges only programs that were asked for.
func (rep *report) judge(interrupted bool) {
	ended, cleanly, skippedRuns := map[mode]int{}, map[mode]int{}, 0
	var sweep *tally
	for _, h := range rep.Hazards {
		for _, m := range []mode{raw, guarded} {
			if t := h.of(m); t != nil {
				ended[m] += t.ended()
				cleanly[m] += t.Outcomes[clean]
				skippedRuns += t.Outcomes[skipped]
			}
		}
		if h.ID == fdSweep.ID {
			sweep = h.Raw
		}
	}
	// The sweep may happen in the middle of an attempt to connect. Then libzmq
	// dies elsewhere, so only 19 of 20 runs must abort in add_fd.
	sweepAborted := sweep == nil || sweep.InAddFd > 0 && sweep.Runs-sweep.InAddFd <= sweep.Runs/20
	rep.Interrupted = interrupted
	rep.Shown = !interrupted && cleanly[guarded] == ended[guarded] && sweepAborted

	var said []string
	if ended[raw] > 0 {
		s := fmt.Sprintf("%d of %d raw runs ended badly", ended[raw]-cleanly[raw], ended[raw])
		if sweep != nil {
			s += fmt.Sprintf(" (fd-sweep aborted in epoll_t::add_fd in %d of %d)", sweep.InAddFd, sweep.Runs)
		}
		said = append(said, s)
	}
	if ended[guarded] > 0 {
		said = append(said, fmt.Sprintf("%d of %d guarded runs ended cleanly", cleanly[guarded], ended[guarded]))
	}
	if len(said) == 0 {
		said = append(said, "no run ended")
	}
	start := "With"
	switch {
	case interrupted:
		start = "Interrupted: with"
	case !rep.Shown:
		start = "Not shown: with"
	}
	rep.Summary = fmt.Sprintf("%s libzmq %s, %s.", start, rep.Libzmq, strings.Join(said, ", and "))
	if skippedRuns > 0 {
		rep.Summary += fmt.Sprintf(" %d runs were skipped.", skippedRuns)
	}
}

// print writes the table and the sentence.
func (rep *report) print(w io.Writer, colour bool) {
	// Every cell of a column has a colour code of the same length, so
	// tabwriter, which counts them, still lines the columns up.
	const plain, bold, red, green = 0, 1, 31, 32
	paint := func(code int, text string) string {
		if !colour {
			return text
		}
		return fmt.Sprintf("\x1b[%02dm%s\x1b[0m", code, text)
	}
	cell := func(t *tally) string {
		switch {
		case t == nil || t.Runs == 0:
			return paint(plain, "-")
		case t.ended() == 0:
			return paint(plain, t.String())
		case t.Outcomes[clean] == t.ended():
			return paint(green, t.String())
		default:
			return paint(red, t.String())
		}
	}
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n",
		paint(bold, "hazard"), paint(bold, "raw"), paint(bold, "guarded"), paint(bold, "first abort message of raw"))
	skips := ""
	for _, h := range rep.Hazards {
		message, reason := "", ""
		if h.Raw != nil {
			message, reason = h.Raw.FirstAbort, h.Raw.SkippedFor
		}
		if h.Guarded != nil {
			reason = cmp.Or(reason, h.Guarded.SkippedFor)
		}
		if reason != "" {
			skips += fmt.Sprintf("SKIPPED %s: %s\n", h.ID, reason)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", paint(plain, h.ID), cell(h.Raw), cell(h.Guarded), message)
	}
	tw.Flush()
	fmt.Fprintf(w, "\n%s%s\n", skips, rep.Summary)
}

// String lists the counts: "abort 3, lost 2 (200 of 200 messages)".
func (t *tally) String() string {
	var counts []string
	for _, o := range outcomes {
		s := fmt.Sprintf("%s %d", o, t.Outcomes[o])
		if o == lost {
			s += fmt.Sprintf(" (%d of %d messages)", t.Lost, t.Of)
		}
		if t.Outcomes[o] > 0 {
			counts = append(counts, s)
		}
	}
	return strings.Join(counts, ", ")
}
