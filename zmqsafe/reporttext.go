package zmqsafe

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"
)

// String is "holding", "gone" or "ran out".
func (o Outcome) String() string {
	switch o {
	case Gone:
		return "gone"
	case RanOut:
		return "ran out"
	}
	return "holding"
}

// MarshalText writes what String returns.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// String is a table for people: what each step took, and each socket.
func (r Report) String() string {
	if r.Began.IsZero() {
		return "the context isn't closed"
	}
	var b strings.Builder
	b.WriteString(r.headline())
	b.WriteString("\n\n")
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "step\ttook")
	for _, s := range r.Steps {
		fmt.Fprintf(table, "%s\t%v\n", s.Name, rounded(s.Took))
	}
	table.Flush()
	if len(r.Sockets) > 0 {
		b.WriteByte('\n')
		fmt.Fprintln(table, "socket\toutcome\tafter\tage\taccepted\treceived\tLINGER\twoke\tmade at\tendpoints")
		for _, s := range r.Sockets {
			fmt.Fprintf(table, "%v\t%v\t%s\t%v\t%d\t%d\t%s\t%s\t%s\t%s\n", s.Type, s.Outcome, s.after(), rounded(s.age()),
				s.Accepted, s.Received, s.lingerText(), cmp.Or(s.Waiting.String(), "-"), s.Site, cmp.Or(joinSome(s.Endpoints, " ", strings.Clone), "-"))
		}
		table.Flush()
	}
	return strings.TrimRight(b.String(), "\n")
}

func (r Report) headline() string {
	state := "closed in"
	if !r.Done {
		state = "being closed for"
	}
	s := fmt.Sprintf("context made at %s, %s %v", r.Site, state, rounded(r.Took))
	if !r.Deadline.IsZero() {
		s += fmt.Sprintf(" of %v", rounded(r.Deadline.Sub(r.Began)))
	}
	if r.Unclosed > 0 {
		s += fmt.Sprintf("; sockets still to be closed: %d", r.Unclosed)
	}
	if n := len(r.RanOut()); n > 0 {
		s += fmt.Sprintf("; sockets whose LINGER ran out, so messages may be lost: %d", n)
	}
	if n := len(r.Holding()); n > 0 {
		s += fmt.Sprintf("; sockets that libzmq still has: %d", n)
	}
	if r.CloseError != "" {
		s += "; " + r.CloseError
	}
	return s
}

// after is how long libzmq had the socket after its zmq_close.
func (s ClosedSocket) after() string {
	if s.Gone.IsZero() {
		return "-"
	}
	return rounded(s.Gone.Sub(s.Closed)).String()
}

func (s ClosedSocket) age() time.Duration { return s.Closed.Sub(s.Created) }

func (s ClosedSocket) lingerText() string {
	if s.untilDeadline() {
		return fmt.Sprintf("%v, not %v", s.Lingers, s.Linger)
	}
	return s.Lingers.String()
}

// rounded cuts d to what is of interest.
func rounded(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Microsecond)
}

// joinSome joins what of all is enough for people: the first ten.
func joinSome[T any](all []T, separator string, text func(T) string) string {
	const most = 10
	var texts []string
	for _, v := range all[:min(len(all), most)] {
		texts = append(texts, text(v))
	}
	if len(all) > most {
		texts = append(texts, fmt.Sprintf("and %d more", len(all)-most))
	}
	return strings.Join(texts, separator)
}

// LogValue is a group: what is of interest in a log, and each socket in full only
// if something is wrong with it.
func (r Report) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("context", r.Site), slog.Bool("done", r.Done), slog.Duration("took", r.Took)}
	if !r.Deadline.IsZero() {
		attrs = append(attrs, slog.Time("deadline", r.Deadline))
	}
	var steps []slog.Attr
	for _, s := range r.Steps {
		steps = append(steps, slog.Duration(s.Name, s.Took))
	}
	attrs = append(attrs, slog.Attr{Key: "steps", Value: slog.GroupValue(steps...)}, slog.Int("sockets", len(r.Sockets)))
	if r.Unclosed > 0 {
		attrs = append(attrs, slog.Int("unclosed", r.Unclosed))
	}
	if ranOut := r.RanOut(); len(ranOut) > 0 {
		attrs = append(attrs, slog.String("ran_out", list(ranOut)))
	}
	if holding := r.Holding(); len(holding) > 0 {
		attrs = append(attrs, slog.String("holding", list(holding)))
	}
	return slog.GroupValue(attrs...)
}
