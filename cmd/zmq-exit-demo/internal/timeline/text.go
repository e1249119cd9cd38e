package timeline

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// MinWidth is the narrowest terminal that a chart is drawn for.
const MinWidth = 60

// WriteText draws for a terminal of a width in columns, which is at least MinWidth. Text that has to be read whole, such as
// titles, may be longer: the terminal wraps it.
func (r Recording) WriteText(w io.Writer, width int, colour bool) error {
	t := textChart{width: max(width, MinWidth), colour: colour}
	fmt.Fprintf(&t.out, "%s: %s\n%s\n", t.painted(bold, r.Hazard), r.Title, r.subtitle())
	for _, c := range r.Contexts {
		fmt.Fprintf(&t.out, "\n%s\n%s\n\n", t.painted(bold, c.heading(r.several())), c.outcome())
		t.context(c)
	}
	t.out.WriteByte('\n')
	t.wrapped(t.legend(), "", "  ")
	_, err := io.WriteString(w, t.out.String())
	return err
}

// Each phase has a character and a colour of its own.
var (
	phaseRunes  = [phases]rune{'░', '▒', '▞', '╱', '█'}
	phaseColour = [phases]int{32, 33, 36, 35, 34}
)

var (
	markRunes  = [...]rune{goneMark: '●', ranOutMark: '▲', holdingMark: '▶'}
	markColour = [...]int{goneMark: 32, ranOutMark: 31, holdingMark: 31}
	markNames  = [...]string{goneMark: "gone", ranOutMark: "LINGER ran out", holdingMark: "still held"}
)

const (
	bold = 1
	dim  = 2
	red  = 31
)

// maxNotes is enough for the usual notes.
const maxNotes = 18

// textChart is a chart while it is written.
type textChart struct {
	out           strings.Builder
	width         int
	colour        bool
	names, notes  int // widths of the columns
	chart         int
	axis          axis
	deadlineShown bool
}

// context writes the rows of one context, its steps above, the axis below.
func (t *textChart) context(c Context) {
	rows := c.rows()
	t.names, t.notes = length(c.zero()), 0
	for _, r := range rows {
		t.names = max(t.names, length(r.name), length(r.endpoint)+2)
		t.notes = max(t.notes, length(r.note))
	}
	t.names = min(t.names, t.width*2/5)
	t.notes = min(t.notes, maxNotes)
	t.chart = t.width - t.names - t.notes - 4 // two between the columns, one for the mark
	t.axis = newAxis(c, float64(t.chart), 1)
	t.deadlineShown = !c.Deadline.IsZero() && t.axis.shows(c.Deadline)

	t.deadline(c)
	t.steps(c)
	for _, r := range rows {
		t.row(c, r)
	}
	t.scale(c)
	if len(c.Steps) > 0 {
		t.wrapped(c.key(), "steps: ", ", ")
	}
}

// row writes the bar of a row, and its endpoint below the name.
func (t *textChart) row(c Context, r row) {
	line := t.blank(c)
	columns, end := c.cover(r, t.axis, 1)
	for i, p := range columns.cells() {
		if p >= 0 {
			line[i] = cell{phaseRunes[p], phaseColour[p]}
		}
	}
	if r.mark != noMark {
		at := min(int(end)+1, t.chart)
		if int(end) < t.chart && columns[int(end)] == [phases]float64{} {
			at = int(end)
		}
		line[at] = cell{markRunes[r.mark], markColour[r.mark]}
	}
	t.line(cut(r.name, t.names), line, cut(r.note, t.notes))
	if r.endpoint != "" {
		t.line(t.painted(dim, cut("  "+r.endpoint, t.names)), t.blank(c), "")
	}
}

// cells says which phase each column shows: the one that takes most of it. One that lasts less than a column is shown all
// the same, next to where it is, at the cost of one that has more.
func (columns cover) cells() []phase {
	cells := make([]phase, len(columns))
	var shown [phases]int
	for i, column := range columns {
		cells[i] = -1
		most := 0.0
		for p, share := range column {
			if share > most {
				cells[i], most = phase(p), share
			}
		}
		if cells[i] >= 0 {
			shown[cells[i]]++
		}
	}
	for p := range phases {
		for i := range columns {
			if shown[p] > 0 || columns[i][p] == 0 {
				continue
			}
			for _, at := range []int{i, i + 1, i - 1} {
				if at >= 0 && at < len(cells) && (cells[at] < 0 || shown[cells[at]] > 1) {
					if cells[at] >= 0 {
						shown[cells[at]]--
					}
					cells[at] = phase(p)
					shown[p]++
					break
				}
			}
		}
	}
	return cells
}

// legend explains the characters.
func (t *textChart) legend() []string {
	var parts []string
	for p, name := range phaseNames {
		parts = append(parts, t.painted(phaseColour[p], string(phaseRunes[p]))+" "+name)
	}
	for m := goneMark; m <= holdingMark; m++ {
		parts = append(parts, t.painted(markColour[m], string(markRunes[m]))+" "+markNames[m])
	}
	return parts
}

func length(s string) int { return utf8.RuneCountInString(s) }

// cut makes s fit.
func cut(s string, width int) string {
	if length(s) <= width {
		return s
	}
	return string([]rune(s)[:max(width-1, 0)]) + "…"
}
