package main

import (
	"fmt"
	"io"
	"strings"
)

// progress shows how far a measurement has come, on one line of a terminal, and
// reports every guarded run that ended badly at once.
type progress struct {
	w     io.Writer
	total int
	live  bool // w is a terminal

	done int
}

func (p *progress) ended(a attempt, r result) {
	p.done++
	p.clear()
	if a.mode == guarded && r.Outcome != clean && r.Outcome != skipped {
		fmt.Fprintf(p.w, "%s %s: %s\n%s\n", a.mode, a.hazard.ID, r.Outcome, indent(r.Stderr))
	}
	if p.live {
		fmt.Fprintf(p.w, "%d of %d runs; the last was %s %s: %s", p.done, p.total, a.mode, a.hazard.ID, r.Outcome)
	}
}

// preparing tells what must be prepared before the first run.
func (p *progress) preparing(hazards []hazard) {
	for _, h := range hazards {
		if h.Prepare != nil && p.live {
			p.clear()
			fmt.Fprintf(p.w, "preparing %s", h.ID)
		}
	}
}

// clear takes the line off the terminal.
func (p *progress) clear() {
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ")
}
