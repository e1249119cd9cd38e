package timeline

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// MinWidth is the narrowest terminal that a chart is drawn for.
const MinWidth = 60

// Each phase and each outcome has a character and a colour.
var (
	phaseCells   = [phases]cell{{'░', 32}, {'▞', 36}, {'╱', 35}, {'█', 34}}
	outcomeCells = map[string]cell{gone: {'●', 32}, ranOut: {'▲', red}, holding: {'▶', red}}
)

const (
	bold = 1
	dim  = 2
	red  = 31
)

// maxNotes is the width of the last column. It is enough for the usual notes.
const maxNotes = 18

// WriteText draws for a terminal of a width in columns, which is at least
// [MinWidth]. Sentences may be longer: the terminal wraps them.
func (c Chart) WriteText(w io.Writer, width int, colour bool) error {
	t := textChart{width: max(width, MinWidth), colour: colour}
	fmt.Fprintln(&t.out, t.painted(bold, c.Title))
	if c.Subtitle != "" {
		fmt.Fprintln(&t.out, c.Subtitle)
	}
	for _, r := range c.Reports {
		fmt.Fprintf(&t.out, "\n%s\n%s\n", t.painted(bold, r.heading()), r.outcome())
		for _, line := range r.losses() {
			fmt.Fprintln(&t.out, line)
		}
		fmt.Fprintln(&t.out)
		t.report(r)
	}
	entry := func(c cell, name string) string { return t.painted(c.colour, string(c.char)) + " " + name }
	var bars, marks []string
	for p, name := range phaseNames {
		bars = append(bars, entry(phaseCells[p], name))
	}
	for _, o := range outcomes {
		marks = append(marks, entry(outcomeCells[o.outcome], o.name))
	}
	_, err := fmt.Fprintf(w, "%s\n%s\n%s\n", t.out.String(), strings.Join(bars, "  "), strings.Join(marks, "  "))
	return err
}

// textChart is a chart while it is written.
type textChart struct {
	out                 strings.Builder
	width               int
	colour              bool
	names, chart, notes int // widths of the three columns
	axis                axis
	background          []cell // of each line: the break of the axis and the deadline
}

// cell is a character of the chart and its colour, which is 0 for that of the
// terminal.
type cell struct {
	char   rune
	colour int
}

// report writes the rows of one report, with its steps above and the axis
// below.
func (t *textChart) report(r Report) {
	rows := r.rows()
	t.names, t.notes = length(zero), 0
	for _, row := range rows {
		t.names = max(t.names, length(row.name), length(row.endpoint)+2)
		t.notes = max(t.notes, length(row.note))
	}
	t.names, t.notes = min(t.names, t.width*2/5), min(t.notes, maxNotes)
	t.chart = t.width - t.names - t.notes - 4 // two between the columns, one for a mark
	t.axis = newAxis(r, float64(t.chart), 1)
	t.background = t.blank(' ')
	if len(t.axis.panels) > 1 {
		t.background[int(t.axis.panels[0].right)] = cell{'┊', dim}
	}
	if !r.Deadline.IsZero() {
		text, end := r.deadlineLabel()+" →", t.chart
		if t.axis.shows(r.Deadline) {
			text, end = r.deadlineLabel()+" ▼", int(t.axis.x(r.Deadline))+1
			t.background[end-1] = cell{'│', red}
		}
		indent := max(t.names+1+end-length(text), 0)
		fmt.Fprintf(&t.out, "%s%s\n", strings.Repeat(" ", indent), t.painted(red, text))
	}
	if len(r.Steps) > 0 {
		t.steps(r)
	}
	for _, row := range rows {
		t.row(r, row)
	}
	t.scale()
	line := "steps:"
	for i, step := range r.key() {
		if i > 0 {
			line += ","
		}
		if length(line)+1+length(step) >= t.width { // one for a comma
			fmt.Fprintln(&t.out, line)
			line = "      "
		}
		line += " " + step
	}
	if len(r.Steps) > 0 {
		fmt.Fprintln(&t.out, line)
	}
}

// steps writes the number of each step where it began.
func (t *textChart) steps(r Report) {
	chart := t.newLine()
	next := 0
	for i, s := range r.Steps {
		from := max(int(t.axis.x(s.Began)), next)
		for at := from; at < t.chart && float64(at) < t.axis.x(s.ended()); at++ {
			chart[at] = cell{'─', 0}
		}
		if from < len(chart) {
			chart[from] = cell{rune('1' + i), bold}
		}
		next = from + 1
	}
	t.line(0, "steps of the close", chart, "")
}

// row writes the bar of a row, and its endpoint below the name.
func (t *textChart) row(r Report, row row) {
	chart := t.newLine()
	end := 0
	if len(row.sockets) == 1 {
		for _, part := range r.bar(row.sockets[0], t.axis, 1) {
			for end = int(part.from); end < int(part.to) && end < t.chart; end++ {
				chart[end] = phaseCells[part.phase]
			}
		}
	} else {
		columns, _ := r.columns(row.sockets, t.axis, 1)
		for i, column := range columns {
			most := 0.0
			for p, share := range column {
				if share > most {
					most, end = share, i+1
					chart[i] = phaseCells[p]
				}
			}
		}
	}
	if mark, ok := outcomeCells[row.outcome]; ok {
		chart[min(end, t.chart)] = mark
	}
	t.line(0, row.name, chart, row.note)
	if row.endpoint != "" {
		t.line(dim, "  "+row.endpoint, t.background, "")
	}
}

// scale writes the axis and its numbers.
func (t *textChart) scale() {
	line, numbers := t.blank('─'), t.blank(' ')
	line[t.chart].char = ' '
	free := 0
	for _, tick := range t.axis.ticks(9) {
		at := int(tick.x)
		if at >= t.chart {
			continue
		}
		line[at].char = '┴'
		from := min(max(at-length(tick.label)/2, 0), len(numbers)-length(tick.label))
		if from < free {
			continue
		}
		for i, char := range []rune(tick.label) {
			numbers[from+i].char = char
		}
		free = from + length(tick.label) + 1
	}
	if len(t.axis.panels) > 1 {
		line[int(t.axis.panels[0].right)] = cell{'┊', dim}
	}
	t.line(0, "", line, "")
	t.line(0, zero, numbers, "")
}

// blank returns a line of the chart. The last cell is for a mark.
func (t *textChart) blank(char rune) []cell {
	line := make([]cell, t.chart+1)
	for i := range line {
		line[i].char = char
	}
	return line
}

func (t *textChart) newLine() []cell { return slices.Clone(t.background) }

// line writes a line of all three columns.
func (t *textChart) line(nameColour int, name string, chart []cell, note string) {
	var b strings.Builder
	name = cut(name, t.names)
	b.WriteString(t.painted(nameColour, name) + strings.Repeat(" ", t.names-length(name)+1))
	for i := 0; i < len(chart); {
		colour, run := chart[i].colour, ""
		for ; i < len(chart) && chart[i].colour == colour; i++ {
			run += string(chart[i].char)
		}
		b.WriteString(t.painted(colour, run))
	}
	b.WriteString(" " + cut(note, t.notes))
	t.out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}

// painted returns text in a colour, if there are colours.
func (t *textChart) painted(colour int, text string) string {
	if !t.colour || colour == 0 {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

func length(s string) int { return utf8.RuneCountInString(s) }

// cut makes s fit.
func cut(s string, width int) string {
	if length(s) <= width {
		return s
	}
	return string([]rune(s)[:max(width-1, 0)]) + "…"
}
