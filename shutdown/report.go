package shutdown

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// State is the state of a worker or a step.
type State string

// The states of workers and steps.
const (
	Waiting      State = "waiting"       // a step that has not begun
	Running      State = "running"       // in time so far
	Done         State = "done"          // ended in time, without an error
	Failed       State = "failed"        // ended with an error
	Panicked     State = "panicked"      // ended with a *PanicError
	Late         State = "late"          // a worker that returned after its grace
	StillRunning State = "still running" // left behind
)

// Report says what a stop has done, and how long each part took. It is a plain
// value: print it, log it with log/slog, or marshal it as JSON.
type Report struct {
	Cause    error         // why the stop began; nil if it has not
	Began    time.Time     // when the stop began
	Took     time.Duration // until the stop was over, or until now
	Timeout  time.Duration // how long the stop may take
	Over     bool          // whether the stop is over
	Returned int           // number of workers that returned nil before the stop
	Workers  []Entry       // the other workers, in the order of starting
	Steps    []Entry       // in the order of closing
	TCP      *Delivery     // what the kernel had to deliver after them; nil if Main didn't wait for that
}

// Entry is a worker or a step in a [Report].
type Entry struct {
	Name    string
	State   State
	Took    time.Duration // of a worker since the stop began, of a step since it began
	Timeout time.Duration // how long it may take
	Err     error
}

// Report returns what the stop has done so far. It may be called at any time,
// also before the stop and after it. It doesn't block.
func (g *Group) Report() Report {
	g.lock()
	defer g.mu.Unlock()
	d := g.down
	if d == nil {
		d = new(takedown)
	}
	now := d.began.Add(d.took)
	if g.down != nil && !d.over {
		now = time.Now()
	}
	r := Report{
		Cause: context.Cause(g.ctx), Returned: g.returned, Steps: slices.Clone(d.results),
		Began: d.began, Took: now.Sub(d.began), Timeout: max(d.deadline.Sub(d.began), 0), Over: d.over,
		TCP: d.delivery,
	}
	for _, w := range g.workersLocked() {
		out := now
		if !w.out.IsZero() && w.out.Before(now) {
			out = w.out
		}
		took := max(out.Sub(d.began), 0)
		r.Workers = append(r.Workers, Entry{w.name, w.state(), took, d.graceEnd.Sub(d.began), w.err})
	}
	if last := len(r.Steps) - 1; last >= 0 && r.Steps[last].State == Running {
		r.Steps[last].Took = now.Sub(d.stepBegan)
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

// stateOf returns the state of something that has returned err in time.
func stateOf(err error) State {
	var p *PanicError
	switch {
	case err == nil:
		return Done
	case errors.As(err, &p):
		return Panicked
	}
	return Failed
}

// names returns the names of the entries that are in one of the states.
func names(entries []Entry, states ...State) []string {
	var list []string
	for _, e := range entries {
		if slices.Contains(states, e.State) {
			list = append(list, e.Name)
		}
	}
	return list
}

// String returns the report as a table, with a line for each worker and step.
// It has no newline at its end.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "shutdown: %s\n", r.headline())
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if r.Returned > 0 {
		fmt.Fprintf(table, "  workers that had returned before: %d\n", r.Returned)
	}
	for _, e := range r.Workers {
		e.line(table, kindWorker)
	}
	for _, e := range r.Steps {
		e.line(table, kindStep)
	}
	if r.TCP != nil {
		fmt.Fprintf(table, "  %s\t\t%v\tof %v\t%v\n", "tcp", short(r.TCP.Took), short(r.TCP.Timeout), r.TCP)
	}
	_ = table.Flush() // into a strings.Builder
	return strings.TrimSuffix(b.String(), "\n")
}

func (r Report) headline() string {
	switch {
	case r.Cause == nil:
		return "running"
	case r.Began.IsZero():
		return fmt.Sprintf("about to stop: %s", plain(r.Cause))
	case !r.Over:
		return fmt.Sprintf("stopping for %v of %v: %s", short(r.Took), short(r.Timeout), plain(r.Cause))
	}
	return fmt.Sprintf("stopped in %v of %v: %s", short(r.Took), short(r.Timeout), plain(r.Cause))
}

func (e Entry) line(table *tabwriter.Writer, kind string) {
	name, took, bound := e.Name, "", ""
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` { // it isn't printable
		name = quoted
	}
	if e.Timeout > 0 {
		took, bound = short(e.Took).String(), "of "+short(e.Timeout).String()
	}
	fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", kind, name, took, bound, e.outcome())
}

// outcome returns the state and the error, in one line.
func (e Entry) outcome() string {
	text := plain(e.Err)
	if text == "" {
		return string(e.State)
	}
	return string(e.State) + ": " + text
}

// plain returns an error as one line, without what the report says elsewhere:
// the name, and that it overran.
func plain(err error) string {
	if e, ok := err.(*Error); ok {
		err = e.Err
	}
	if e, ok := err.(*overrunError); ok {
		err = e.err
	}
	if err == nil {
		return ""
	}
	return strings.NewReplacer("\n", "; ", "\t", " ").Replace(strings.TrimPrefix(err.Error(), "shutdown: "))
}

// short rounds d to three digits or fewer.
func short(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= time.Second:
		return d.Round(10 * time.Millisecond)
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}

// MarshalJSON writes durations like time.Duration.String, such as "1.5s", and
// errors as their text. It has "tcp" only if Main waited for deliveries.
func (r Report) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Cause    string    `json:"cause,omitempty"`
		Began    time.Time `json:"began,omitzero"`
		Took     string    `json:"took"`
		Timeout  string    `json:"timeout"`
		Over     bool      `json:"over"`
		Returned int       `json:"returned"`
		Workers  []Entry   `json:"workers"`
		Steps    []Entry   `json:"steps"`
		TCP      *Delivery `json:"tcp,omitempty"`
	}{
		text(r.Cause), r.Began, r.Took.String(), r.Timeout.String(), r.Over, r.Returned,
		append([]Entry{}, r.Workers...), append([]Entry{}, r.Steps...), // never null
		r.TCP,
	})
}

// MarshalJSON writes an entry as it is in the JSON of a [Report].
func (e Entry) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name    string `json:"name"`
		State   State  `json:"state"`
		Took    string `json:"took"`
		Timeout string `json:"timeout"`
		Error   string `json:"error,omitempty"`
	}{e.Name, e.State, e.Took.String(), e.Timeout.String(), text(e.Err)})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// LogValue returns the report as a group of attributes. Of the workers that are
// done it has only the number.
func (r Report) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Duration("took", r.Took), slog.Duration("timeout", r.Timeout), slog.Bool("over", r.Over)}
	if r.Cause != nil {
		attrs = append(attrs, slog.String("cause", r.Cause.Error()))
	}
	others := slices.DeleteFunc(slices.Clone(r.Workers), func(e Entry) bool { return e.State == Done })
	if r.TCP != nil {
		attrs = append(attrs, slog.String("tcp", fmt.Sprintf("%v, %v", short(r.TCP.Took), r.TCP)))
	}
	done := r.Returned + len(r.Workers) - len(others)
	return slog.GroupValue(append(attrs, slog.Int("done", done), logGroup("workers", others), logGroup("steps", r.Steps))...)
}

// logGroup has an attribute for each entry, with its name as the key.
func logGroup(key string, entries []Entry) slog.Attr {
	var attrs []any
	count := make(map[string]int)
	for _, e := range entries {
		name := e.Name
		if count[name]++; count[name] > 1 { // keys must differ
			name = fmt.Sprintf("%s (%d)", name, count[name])
		}
		attrs = append(attrs, slog.String(name, fmt.Sprintf("%v, %s", short(e.Took), e.outcome())))
	}
	return slog.Group(key, attrs...)
}
