package timeline

import (
	"fmt"
	"strings"
)

// context draws one context: what came of it, the steps, a row for each socket, and the axis.
func (p *picture) context(c Context, several bool) {
	p.y += 30
	p.text(margin, p.y, "heading", "start", c.heading(several))
	p.y += 18
	p.text(margin, p.y, "", "start", c.outcome())
	if len(c.Steps) > 0 {
		p.y += 18
		p.text(margin, p.y, "small", "start", "Steps: "+strings.Join(c.key(), ", "))
	}
	a := newAxis(c, chartWidth, breakWidth)
	rows := c.rows()
	top := p.y + 14
	if !c.Began.IsZero() {
		top += 36 // for the label of the deadline and the numbers of the steps
	}
	body := top
	if len(c.Steps) > 0 {
		body += 22
	}
	bottom := body + 4
	for _, r := range rows {
		bottom += r.height()
	}
	p.frame(c, a, top, bottom)
	p.steps(c, a, top)
	p.y = body + 4
	for _, r := range rows {
		p.row(c, r, a)
	}
	p.breakOf(a, top, bottom)
	p.deadline(c, a, top, bottom)
	p.y = bottom + 34
}

// frame draws what lies behind the bars, and the numbers of the axis.
func (p *picture) frame(c Context, a axis, top, bottom int) {
	p.rect(chartLeft, float64(top), chartWidth, float64(bottom-top), "frame")
	free := 0.0
	for _, t := range a.ticks(52) {
		class := "grid"
		if t.label == "0" {
			class = "zero"
		}
		x := chartLeft + t.x
		p.line(x, float64(top), x, float64(bottom+4), class)
		if half := textWidth(t.label) / 2; x-half >= free {
			p.text(x, bottom+17, "small", "middle", t.label)
			free = x + half + 6
		}
	}
	p.text(chartRight, bottom+31, "small", "end", c.zero())
}

// steps draws a band for each step, and its number above. Numbers of steps that took no time stand side by side.
func (p *picture) steps(c Context, a axis, top int) {
	if len(c.Steps) > 0 {
		p.text(margin, top+15, "", "start", "Steps of the close")
	}
	free := 0.0
	for i, s := range c.Steps {
		from := chartLeft + a.x(s.Began)
		width := max(chartLeft+a.x(s.Ended)-from, 1.5)
		p.rect(from, float64(top+2), width, 18, fmt.Sprintf("step%d", i%2))
		at := max(from+4, free)
		fmt.Fprintf(&p.out, "<path class=\"leader\" d=\"M%s %dL%s %dv18\"/>\n", number(at), top-4, number(from), top+2)
		p.text(at, top-7, "badge", "middle", fmt.Sprint(i+1))
		free = at + 10
		if textWidth(s.Name)+8 < width {
			p.text(from+6, top+15, "inband", "start", s.Name)
		}
	}
}

// deadline draws the line of the deadline, or says where it would be.
func (p *picture) deadline(c Context, a axis, top, bottom int) {
	switch {
	case c.Deadline.IsZero():
	case !a.shows(c.Deadline):
		p.text(chartRight, top-23, "deadlinetext", "end", c.deadlineLabel()+" →")
	default:
		x := chartLeft + a.x(c.Deadline)
		p.line(x, float64(top-19), x, float64(bottom), "deadline")
		p.text(min(x+40, chartRight), top-23, "deadlinetext", "end", c.deadlineLabel())
	}
}

// breakOf draws the break of a broken axis through all rows.
func (p *picture) breakOf(a axis, top, bottom int) {
	if len(a.panels) == 1 {
		return
	}
	left, right := chartLeft+a.panels[0].right, chartLeft+a.panels[1].left
	p.rect(left, float64(top), right-left, float64(bottom-top), "break")
	for _, x := range []float64{left, right} {
		zigzag := fmt.Sprintf("M%s %d", number(x), top)
		for y := top; y < bottom; y += 8 {
			zigzag += "l3 4l-3 4"
		}
		fmt.Fprintf(&p.out, "<path class=\"breakline\" d=\"%s\"/>\n", zigzag)
	}
}
