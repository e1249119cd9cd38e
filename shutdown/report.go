package shutdown

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// State is what became of a worker or a step.
type State string

// The states of workers and steps.
const (
	Waiting      State = "waiting"       // a step whose turn hasn't come
	Running      State = "running"       // in time so far
	Done         State = "done"          // in time and without an error
	Failed       State = "failed"        // with an error
	Panicked     State = "panicked"      // with a *PanicError
	Late         State = "late"          // a worker that was out, but after its grace
	StillRunning State = "still running" // left behind after its time
)

// Report says what a stop did, and how long each part took. It is a plain value:
// print it, log it with slog, marshal it as JSON.
type Report struct {
	Cause    error         // why the stop began; nil if it hasn't
	Began    time.Time     // when the stop began
	Took     time.Duration // until it was over, or until now
	Timeout  time.Duration // what it may take
	Over     bool          // whether it is over
	Returned int           // workers that had returned before, without an error
	Workers  []Entry       // the others, in the order in which they were started
	Steps    []Entry       // in the order of closing
}

// Entry is a worker or a step in a Report.
type Entry struct {
	Name    string
	State   State
	Took    time.Duration // of a worker since the stop began, of a step since it was called
	Timeout time.Duration // what it may take
	Err     error
}

// Report returns what the stop did, or, before its end, where it is. It doesn't block.
func (g *Group) Report() Report {
	g.lock()
	defer g.mu.Unlock()
	r := Report{Cause: context.Cause(g.ctx), Returned: g.returned}
	now, grace := time.Now(), time.Duration(0)
	d := g.down
	if d != nil {
		r.Began, r.Timeout, r.Took = d.began, max(d.deadline.Sub(d.began), 0), time.Since(d.began)
		grace = d.graceEnd.Sub(d.began)
		if d.over {
			r.Over, r.Took = true, d.took
			now = d.began.Add(d.took)
		}
	}
	workers := slices.Clone(g.left)
	for w := range g.running {
		workers = append(workers, w)
	}
	sortWorkers(workers)
	for _, w := range workers {
		e := Entry{Name: w.name, State: w.state(), Timeout: grace, Err: w.err}
		if d != nil {
			out := now
			if !w.out.IsZero() && w.out.Before(now) {
				out = w.out
			}
			e.Took = max(out.Sub(d.began), 0)
		}
		r.Workers = append(r.Workers, e)
	}
	if d != nil {
		for _, st := range d.results {
			r.Steps = append(r.Steps, Entry{st.name, st.state, st.took, st.timeout, st.err})
		}
		if d.current != nil {
			r.Steps = append(r.Steps, Entry{
				Name: d.current.name, State: Running, Took: time.Since(d.currentBegan), Timeout: d.current.timeout,
			})
		}
	}
	for _, st := range slices.Backward(g.steps) {
		r.Steps = append(r.Steps, Entry{Name: st.name, State: Waiting})
	}
	return r
}

// state is called with Group.mu held.
func (w *worker) state() State {
	switch {
	case w.out.IsZero() && w.overran:
		return StillRunning
	case w.out.IsZero():
		return Running
	case w.overran && stateOf(w.err) != Panicked:
		return Late
	}
	return stateOf(w.err)
}

// counted lists names, and where one comes several times, how many.
func counted(names []string) []string {
	counts := make(map[string]int)
	var list []string
	for _, name := range names {
		if counts[name]++; counts[name] == 1 {
			list = append(list, name)
		}
	}
	for i, name := range list {
		if n := counts[name]; n > 1 {
			list[i] = fmt.Sprintf("%s (%d)", name, n)
		}
	}
	return list
}

func sortWorkers(workers []*worker) {
	slices.SortFunc(workers, func(a, b *worker) int { return cmp.Compare(a.order, b.order) })
}

// runningNames lists the workers that are not out.
func (g *Group) runningNames() []string { return names(g.Report().Workers, Running, StillRunning) }

// openSteps lists the steps that are not over, in the order of closing.
func (g *Group) openSteps() []string { return names(g.Report().Steps, Running, Waiting) }

// names lists the entries that are in one of the states.
func names(entries []Entry, states ...State) []string {
	var list []string
	for _, e := range entries {
		if slices.Contains(states, e.State) {
			list = append(list, e.Name)
		}
	}
	return list
}
