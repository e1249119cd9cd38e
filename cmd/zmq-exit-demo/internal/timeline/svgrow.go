package timeline

import (
	"fmt"
	"strings"
)

func (r row) height() int {
	if len(r.sockets) > 1 {
		return rowHeight + manyHeight - barHeight
	}
	return rowHeight
}

// row draws a socket, or many.
func (p *picture) row(c Context, r row, a axis) {
	middle := p.y + r.height()/2
	small := r.endpoint
	if len(r.sockets) > 1 {
		small = "height: how many of them"
	}
	if small == "" {
		p.text(margin, middle+4, "", "start", cut(r.name, 38))
	} else {
		p.text(margin, middle-2, "", "start", cut(r.name, 38))
		p.text(margin, middle+12, "small", "start", cut(small, 42))
	}
	var end float64
	p.out.WriteString("<g>")
	if len(r.sockets) == 1 {
		fmt.Fprintf(&p.out, "<title>%s</title>\n", escaped(c.details(r.sockets[0])))
		end = p.bar(c, r.sockets[0], a, float64(middle))
	} else {
		fmt.Fprintf(&p.out, "<title>%s: how many of them are in which phase</title>\n", escaped(r.name))
		end = p.shares(c, r, a, float64(middle))
	}
	p.mark(r.mark, end, float64(middle))
	p.out.WriteString("</g>\n")
	p.text(notesLeft, middle+4, "", "start", r.note)
	p.y += r.height()
}

// shortest is the width of a phase that took next to no time.
const shortest = 2

// bar draws the phases of one socket, and returns where they end.
func (p *picture) bar(c Context, s Socket, a axis, middle float64) float64 {
	at := 0.0
	for _, part := range c.spans(s) {
		from := max(a.x(part.from), at)
		to := max(a.x(part.to), from+shortest)
		p.rect(chartLeft+from, middle-barHeight/2, to-from, barHeight, phaseNames[part.phase])
		at = to
	}
	return chartLeft + at
}

// shares draws many sockets as one bar that shows at each time how many of them are in which phase, and returns where it
// ends. The later a phase comes, the higher it lies.
func (p *picture) shares(c Context, r row, a axis, middle float64) float64 {
	const width = 3
	columns, end := c.cover(r, a, width)
	unit := manyHeight / float64(len(r.sockets))
	floor := make([]float64, len(columns))
	for phase, class := range phaseNames {
		var area strings.Builder
		for i, n := 0, 0; i < len(columns); i += n {
			height := columns[i][phase] * unit
			for n = 1; i+n < len(columns) && floor[i+n] == floor[i] && columns[i+n][phase] == columns[i][phase]; n++ {
			}
			if height > 0 {
				fmt.Fprintf(&area, "M%d %sv-%sh%dv%sz", chartLeft+i*width, number(middle+manyHeight/2-floor[i]), number(height), n*width, number(height))
			}
			for j := range n {
				floor[i+j] += height
			}
		}
		if area.Len() > 0 {
			fmt.Fprintf(&p.out, "<path class=%q d=%q/>\n", class, area.String())
		}
	}
	return chartLeft + end
}
