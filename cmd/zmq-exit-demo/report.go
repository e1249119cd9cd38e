package main

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/pebbe/zmq4"
)

// report is what a measurement found.
type report struct {
	Libzmq      string         `json:"libzmq"`
	Runs        int            `json:"runs"` // asked for, of each program
	Deadline    string         `json:"deadline"`
	Hazards     []hazardReport `json:"hazards"`
	Interrupted bool           `json:"interrupted"`
	Shown       bool           `json:"shown"`
	Summary     string         `json:"summary"`
}

// hazardReport is one line of the table. A program that was not asked for has no
// tally.
type hazardReport struct {
	ID      string `json:"id"`
	Raw     *tally `json:"raw,omitempty"`
	Guarded *tally `json:"guarded,omitempty"`
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
			*line.of(m) = &tally{Outcomes: map[outcome]int{}}
		}
		rep.Hazards = append(rep.Hazards, line)
	}
	return rep
}

func (h *hazardReport) of(m mode) **tally {
	if m == raw {
		return &h.Raw
	}
	return &h.Guarded
}

// loadedLibzmq is the release that this process runs with.
func loadedLibzmq() string {
	major, minor, patch := zmq4.Version()
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

func (rep *report) add(a attempt, r result) {
	for i := range rep.Hazards {
		if h := &rep.Hazards[i]; h.ID == a.hazard.ID {
			(*h.of(a.mode)).add(r, rep.Libzmq)
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

// judge decides whether the measurement showed what the demo is there to show,
// and says so in one sentence. Only what was asked for is judged.
func (rep *report) judge(interrupted bool) {
	var rawRuns, guardedRuns, rawClean, guardedClean, skippedRuns int
	var sweep *tally
	for _, h := range rep.Hazards {
		if h.Raw != nil {
			rawRuns += h.Raw.ended()
			skippedRuns += h.Raw.Outcomes[skipped]
			rawClean += h.Raw.Outcomes[clean]
			if h.ID == fdSweep.ID {
				sweep = h.Raw
			}
		}
		if h.Guarded != nil {
			guardedRuns += h.Guarded.ended()
			skippedRuns += h.Guarded.Outcomes[skipped]
			guardedClean += h.Guarded.Outcomes[clean]
		}
	}
	// The sweep can come upon the connecter between two timers or in the middle
	// of an attempt, where it dies elsewhere: 19 of 20 is what is promised.
	sweepAborted := sweep == nil || sweep.InAddFd > 0 && sweep.Runs-sweep.InAddFd <= sweep.Runs/20
	rep.Interrupted = interrupted
	rep.Shown = !interrupted && guardedClean == guardedRuns && sweepAborted

	var said []string
	if rawRuns > 0 {
		s := fmt.Sprintf("%d of %d raw runs ended badly", rawRuns-rawClean, rawRuns)
		if sweep != nil {
			s += fmt.Sprintf(" (fd-sweep aborted in epoll_t::add_fd in %d of %d)", sweep.InAddFd, sweep.Runs)
		}
		said = append(said, s)
	}
	if guardedRuns > 0 {
		said = append(said, fmt.Sprintf("%d of %d guarded runs ended cleanly", guardedClean, guardedRuns))
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

// ended counts the runs that say something about the program.
func (t *tally) ended() int { return t.Runs - t.Outcomes[skipped] }

// print writes the table and the sentence.
func (rep *report) print(w io.Writer, colour bool) {
	paint := func(_ int, text string) string { return text }
	if colour {
		paint = func(code int, text string) string { return fmt.Sprintf("\x1b[%02dm%s\x1b[0m", code, text) }
	}
	const plain, bold, red, green = 0, 1, 31, 32
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

	// Every cell of a column carries a colour code of the same length, so that
	// tabwriter, which counts them, still lines the columns up.
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n",
		paint(bold, "hazard"), paint(bold, "raw"), paint(bold, "guarded"), paint(bold, "first abort message of raw"))
	for _, h := range rep.Hazards {
		message := ""
		if h.Raw != nil {
			message = h.Raw.FirstAbort
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", paint(plain, h.ID), cell(h.Raw), cell(h.Guarded), message)
	}
	tw.Flush()
	fmt.Fprintln(w)
	for _, h := range rep.Hazards {
		for _, t := range []*tally{h.Raw, h.Guarded} {
			if t != nil && t.SkippedFor != "" {
				fmt.Fprintf(w, "SKIPPED %s: %s\n", h.ID, t.SkippedFor)
				break
			}
		}
	}
	fmt.Fprintln(w, rep.Summary)
}

// String lists the counts: "abort 3, lost 2 (200 of 200 messages)".
func (t *tally) String() string {
	var counts []string
	for _, o := range outcomes {
		n := t.Outcomes[o]
		if n == 0 {
			continue
		}
		s := fmt.Sprintf("%s %d", o, n)
		if o == lost {
			s += fmt.Sprintf(" (%d of %d messages)", t.Lost, t.Of)
		}
		counts = append(counts, s)
	}
	return strings.Join(counts, ", ")
}
