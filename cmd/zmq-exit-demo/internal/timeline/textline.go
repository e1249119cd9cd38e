package timeline

import (
	"fmt"
	"regexp"
	"strings"
)

// cell is a character of the chart, with its colour, which is 0 for that of the terminal.
type cell struct {
	char   rune
	colour int
}

// blank returns a line of the chart with only what goes through all lines: the break of the axis and the deadline. The
// last cell is room for a mark.
func (t *textChart) blank(c Context) []cell {
	line := make([]cell, t.chart+1)
	for i := range line {
		line[i] = cell{char: ' '}
	}
	if len(t.axis.panels) > 1 {
		line[int(t.axis.panels[0].right)] = cell{'┊', dim}
	}
	if t.deadlineShown {
		line[int(t.axis.x(c.Deadline))] = cell{'│', red}
	}
	return line
}

// line writes a line of all three columns.
func (t *textChart) line(name string, chart []cell, note string) {
	var b strings.Builder
	b.WriteString(name)
	b.WriteString(strings.Repeat(" ", max(t.names-length(plain(name)), 0)+1))
	for i := 0; i < len(chart); {
		colour, run := chart[i].colour, ""
		for ; i < len(chart) && chart[i].colour == colour; i++ {
			run += string(chart[i].char)
		}
		b.WriteString(t.painted(colour, run))
	}
	b.WriteString(" " + note)
	t.out.WriteString(strings.TrimRight(b.String(), " ") + "\n")
}

// deadline writes the label of the deadline, above its line or, if that is beyond the axis, with an arrow.
func (t *textChart) deadline(c Context) {
	if c.Deadline.IsZero() {
		return
	}
	text, end := c.deadlineLabel()+" →", t.chart
	if t.deadlineShown {
		text, end = c.deadlineLabel()+" ▼", int(t.axis.x(c.Deadline))+1
	}
	indent := max(t.names+1+end-length(text), 0)
	fmt.Fprintf(&t.out, "%s%s\n", strings.Repeat(" ", indent), t.painted(red, text))
}

// steps writes the number of each step where it began.
func (t *textChart) steps(c Context) {
	if len(c.Steps) == 0 {
		return
	}
	line := t.blank(c)
	next := 0
	for i, s := range c.Steps {
		at := max(int(t.axis.x(s.Began)), next)
		for ; at < t.chart && float64(at) < t.axis.x(s.Ended); at++ {
			line[at] = cell{'─', 0}
		}
		at = max(int(t.axis.x(s.Began)), next)
		if at < len(line) {
			line[at] = cell{rune('1' + i), bold}
		}
		next = at + 1
	}
	t.line("steps of the close", line, "")
}

// scale writes the axis and its numbers.
func (t *textChart) scale(c Context) {
	line := make([]cell, t.chart+1)
	numbers := make([]cell, t.chart+1)
	for i := range line {
		line[i], numbers[i] = cell{char: '─'}, cell{char: ' '}
	}
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
	t.line("", line, "")
	t.line(c.zero(), numbers, "")
}

// wrapped writes a list after a head, in as many lines as it takes.
func (t *textChart) wrapped(items []string, head, separator string) {
	line := head + items[0]
	for _, item := range items[1:] {
		line += separator
		if length(plain(line+item)) > t.width {
			fmt.Fprintln(&t.out, strings.TrimRight(line, " "))
			line = strings.Repeat(" ", length(head))
		}
		line += item
	}
	fmt.Fprintln(&t.out, line)
}

// painted returns text in a colour, if there are colours.
func (t *textChart) painted(colour int, text string) string {
	if !t.colour || colour == 0 {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

var colourCode = regexp.MustCompile("\x1b\\[\\d+m")

// plain takes the colours off a text.
func plain(text string) string { return colourCode.ReplaceAllString(text, "") }
