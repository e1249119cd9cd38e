package shutdown

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// String returns the report as a table, one line for each worker and step.
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
	took, bound := "", ""
	if e.Timeout > 0 {
		took, bound = short(e.Took).String(), "of "+short(e.Timeout).String()
	}
	fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", kind, printable(e.Name), took, bound, e.outcome())
}

// outcome is the state and the error, in one line.
func (e Entry) outcome() string {
	text := plain(e.Err)
	if text == "" {
		return string(e.State)
	}
	return string(e.State) + ": " + text
}

// plain is an error in one line, without what a report says otherwise: whose it
// is, and that it overran.
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

func printable(name string) string {
	if quoted := strconv.Quote(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

// MarshalJSON writes durations as Go does, such as 1.5s, and errors as their text.
func (r Report) MarshalJSON() ([]byte, error) {
	type report struct {
		Cause    string     `json:"cause,omitempty"`
		Began    *time.Time `json:"began,omitempty"`
		Took     string     `json:"took"`
		Timeout  string     `json:"timeout"`
		Over     bool       `json:"over"`
		Returned int        `json:"returned"`
		Workers  []Entry    `json:"workers"`
		Steps    []Entry    `json:"steps"`
	}
	j := report{
		Took: r.Took.String(), Timeout: r.Timeout.String(), Over: r.Over,
		Returned: r.Returned, Workers: append([]Entry{}, r.Workers...), Steps: append([]Entry{}, r.Steps...),
	}
	if r.Cause != nil {
		j.Cause = r.Cause.Error()
	}
	if !r.Began.IsZero() {
		j.Began = &r.Began
	}
	return json.Marshal(j)
}

// MarshalJSON writes durations as Go does, such as 1.5s, and the error as its text.
func (e Entry) MarshalJSON() ([]byte, error) {
	type entry struct {
		Name    string `json:"name"`
		State   State  `json:"state"`
		Took    string `json:"took"`
		Timeout string `json:"timeout"`
		Error   string `json:"error,omitempty"`
	}
	j := entry{e.Name, e.State, e.Took.String(), e.Timeout.String(), ""}
	if e.Err != nil {
		j.Error = e.Err.Error()
	}
	return json.Marshal(j)
}

// LogValue is the report as a group of attributes. Workers that did what they
// should are only counted.
func (r Report) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Duration("took", r.Took), slog.Duration("timeout", r.Timeout), slog.Bool("over", r.Over)}
	if r.Cause != nil {
		attrs = append(attrs, slog.String("cause", r.Cause.Error()))
	}
	good := r.Returned
	var rest []Entry
	for _, e := range r.Workers {
		if e.State == Done {
			good++
		} else {
			rest = append(rest, e)
		}
	}
	attrs = append(attrs, slog.Int("done", good), logGroup("workers", rest), logGroup("steps", r.Steps))
	return slog.GroupValue(attrs...)
}

// logGroup has an attribute for each of entries, with its name as the key.
func logGroup(key string, entries []Entry) slog.Attr {
	var attrs []any
	count := make(map[string]int)
	for _, e := range entries {
		name := e.Name
		if count[name]++; count[name] > 1 { // a key may come only once
			name = fmt.Sprintf("%s (%d)", name, count[name])
		}
		attrs = append(attrs, slog.String(name, fmt.Sprintf("%v, %s", short(e.Took), e.outcome())))
	}
	return slog.Group(key, attrs...)
}
