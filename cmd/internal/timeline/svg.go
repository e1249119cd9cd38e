package timeline

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
)

// The measures of a picture, in pixels at its natural size.
const (
	pictureWidth = 980.0
	margin       = 20.0
	chartLeft    = 270.0
	chartWidth   = 510.0
	chartRight   = chartLeft + chartWidth
	notesLeft    = chartRight + 14
	breakWidth   = 12.0 // of the axis
	rowHeight    = 32.0
	barHeight    = 16.0
	manyHeight   = 28.0 // of the bar of many sockets
	columnWidth  = 3.0  // of the bar of many sockets
	shortest     = 2.0  // width of a phase that took next to no time
)

//go:embed style.css
var style string

// patterns tell the phases apart, too, for those who don't see the colours.
const patterns = `<defs>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="dots" width="5" height="5"/><circle class="dotsdot" cx="2.5" cy="2.5" r="1.2"/></pattern>
<pattern id="bars" width="4" height="4" patternUnits="userSpaceOnUse"><rect class="bars" width="4" height="4"/><line class="barsline" x1="1" y1="0" x2="1" y2="4"/></pattern>
</defs>
`

// WriteSVG writes a picture that stands alone: it needs no other file, and
// follows the reader's choice of a light or dark page. Bars have details as
// tooltips.
func (c Chart) WriteSVG(w io.Writer) error {
	p := &picture{y: margin + 16}
	p.text(margin, p.y, ` class="title"`, c.Title)
	if c.Subtitle != "" {
		p.y += 20
		p.text(margin, p.y, "", c.Subtitle)
	}
	p.y += 12
	p.legend()
	for _, r := range c.Reports {
		p.report(r)
	}
	p.y += margin
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%v" height="%v" viewBox="0 0 %[1]v %[2]v" role="img" aria-labelledby="title desc">
<title id="title">%[3]s</title>
<desc id="desc">%[4]s</desc>
<style>
%[5]s</style>
%[6]s<rect class="page" width="%[1]v" height="%[2]v"/>
%[7]s</svg>
`, pictureWidth, p.y, escaped(c.Title), escaped(c.description()), style, patterns, p.out.String())
	return err
}

// description says what the picture shows, for those who don't see it.
func (c Chart) description() string {
	var said []string
	if c.Subtitle != "" {
		said = append(said, c.Subtitle+".")
	}
	for _, r := range c.Reports {
		said = append(append(said, r.heading()+".", r.outcome()), r.losses()...)
		if len(r.Steps) > 0 {
			said = append(said, "Steps of the close: "+strings.Join(r.key(), ", ")+".")
		}
		for _, row := range r.rows() {
			said = append(said, fmt.Sprintf("%s: %s.", row.name, row.note))
		}
	}
	return strings.Join(said, "\n")
}

// picture is a picture while it is drawn, from top to bottom.
type picture struct {
	out strings.Builder
	y   float64
}

// add writes a line. Numbers of pixels have one decimal at most.
func (p *picture) add(format string, args ...any) {
	for i, arg := range args {
		if v, ok := arg.(float64); ok {
			args[i] = math.Round(v*10) / 10
		}
	}
	fmt.Fprintf(&p.out, format+"\n", args...)
}

func (p *picture) text(x, y float64, attributes, text string) {
	p.add(`<text x="%v" y="%v"%s>%s</text>`, x, y, attributes, escaped(text))
}

func (p *picture) rect(x, y, width, height float64, class string) {
	p.add(`<rect class="%s" x="%v" y="%v" width="%v" height="%v"/>`, class, x, y, width, height)
}

func (p *picture) line(x1, y1, x2, y2 float64, class string) {
	p.add(`<line class="%s" x1="%v" y1="%v" x2="%v" y2="%v"/>`, class, x1, y1, x2, y2)
}

// mark draws the end of a bar, around a point.
func (p *picture) mark(outcome string, x, y float64) {
	switch outcome {
	case gone:
		p.add(`<circle class="gone" cx="%v" cy="%v" r="4.5"/>`, x, y)
	case ranOut:
		p.add(`<path class="ranout" d="M%v %vl6.5 11h-13z"/>`, x, y-6.5)
	case holding:
		p.add(`<path class="ranout" d="M%v %vl11 6.5l-11 6.5z"/>`, x-3, y-6.5)
	}
}

// legend explains phases and marks.
func (p *picture) legend() {
	p.y += 14
	x := margin
	for _, name := range phaseNames {
		p.rect(x, p.y-10, 24, 12, name)
		p.text(x+30, p.y, "", name)
		x += 30 + textWidth(name) + 18
	}
	for _, o := range outcomes {
		p.mark(o.outcome, x+6, p.y-4)
		p.text(x+17, p.y, "", o.name)
		x += 17 + textWidth(o.name) + 18
	}
	p.y += 8
}

// report draws one report: its outcome, the steps, a row for each socket, and
// the axis.
func (p *picture) report(r Report) {
	p.y += 30
	p.text(margin, p.y, ` class="heading"`, r.heading())
	p.y += 18
	p.text(margin, p.y, "", r.outcome())
	for _, line := range r.losses() {
		p.y += 18
		p.text(margin, p.y, "", cut(line, int((pictureWidth-2*margin)/textWidth("x"))))
	}
	if len(r.Steps) > 0 {
		p.y += 18
		p.text(margin, p.y, ` class="small"`, "Steps: "+strings.Join(r.key(), ", "))
	}
	a := newAxis(r, chartWidth, breakWidth)
	rows := r.rows()
	top := p.y + 14 + 36 // room for the label of the deadline and the numbers of the steps
	p.y = top + 4
	if len(r.Steps) > 0 {
		p.y += 22
	}
	bottom := p.y
	for _, row := range rows {
		bottom += row.height()
	}
	p.frame(a, top, bottom)
	p.steps(r, a, top)
	for _, row := range rows {
		p.row(r, row, a)
	}
	p.breakOf(a, top, bottom)
	switch {
	case r.Deadline.IsZero():
	case !a.shows(r.Deadline):
		p.text(chartRight, top-23, ` class="deadlinetext" text-anchor="end"`, r.deadlineLabel()+" →")
	default:
		x := chartLeft + a.x(r.Deadline)
		p.line(x, top-19, x, bottom, "deadline")
		p.text(min(x+40, chartRight), top-23, ` class="deadlinetext" text-anchor="end"`, r.deadlineLabel())
	}
	p.y = bottom + 34
}

// frame draws what is behind the bars, and the numbers of the axis.
func (p *picture) frame(a axis, top, bottom float64) {
	p.rect(chartLeft, top, chartWidth, bottom-top, "frame")
	free := 0.0
	for _, t := range a.ticks(52) {
		class := "grid"
		if t.label == "0" {
			class = "zero"
		}
		x := chartLeft + t.x
		p.line(x, top, x, bottom+4, class)
		if half := textWidth(t.label) / 2; x-half >= free {
			p.text(x, bottom+17, ` class="small" text-anchor="middle"`, t.label)
			free = x + half + 6
		}
	}
	p.text(chartRight, bottom+31, ` class="small" text-anchor="end"`, zero)
}

// steps draws a band for each step, and its number above. The numbers of steps
// that took no time stand side by side.
func (p *picture) steps(r Report, a axis, top float64) {
	if len(r.Steps) > 0 {
		p.text(margin, top+15, "", "Steps of the close")
	}
	free := 0.0
	for i, s := range r.Steps {
		from := chartLeft + a.x(s.Began)
		width := max(chartLeft+a.x(s.ended())-from, 1.5)
		p.rect(from, top+2, width, 18, fmt.Sprintf("step%d", i%2))
		at := max(from+4, free)
		p.add(`<path class="leader" d="M%v %vL%v %vv18"/>`, at, top-4, from, top+2)
		p.text(at, top-7, ` class="badge" text-anchor="middle"`, fmt.Sprint(i+1))
		free = at + 10
		if textWidth(s.Name)+8 < width {
			p.text(from+6, top+15, ` class="inband"`, s.Name)
		}
	}
}

// breakOf draws the break of a broken axis through all rows.
func (p *picture) breakOf(a axis, top, bottom float64) {
	if len(a.panels) == 1 {
		return
	}
	left, right := chartLeft+a.panels[0].right, chartLeft+a.panels[1].left
	p.rect(left, top, right-left, bottom-top, "break")
	for _, x := range []float64{left, right} {
		p.add(`<path class="breakline" d="M%v %v%s"/>`, x, top, strings.Repeat("l3 4l-3 4", int((bottom-top+7)/8)))
	}
}

func (r row) height() float64 {
	if len(r.sockets) > 1 {
		return rowHeight + manyHeight - barHeight
	}
	return rowHeight
}

// row draws a socket, or many.
func (p *picture) row(r Report, row row, a axis) {
	middle := p.y + row.height()/2
	small, details := row.endpoint, row.sockets[0].details()
	many := len(row.sockets) > 1
	if many {
		small, details = "height: how many of them", row.name+": how many of them are in which phase"
	}
	if small == "" {
		p.text(margin, middle+4, "", cut(row.name, 38))
	} else {
		p.text(margin, middle-2, "", cut(row.name, 38))
		p.text(margin, middle+12, ` class="small"`, cut(small, 42))
	}
	p.add("<g><title>%s</title>", escaped(details))
	end := 0.0
	if many {
		end = p.shares(r, row, a, middle+manyHeight/2)
	} else {
		for _, part := range r.bar(row.sockets[0], a, shortest) {
			p.rect(chartLeft+part.from, middle-barHeight/2, part.to-part.from, barHeight, phaseNames[part.phase])
			end = part.to
		}
	}
	p.mark(row.outcome, chartLeft+end, middle)
	p.add("</g>")
	p.text(notesLeft, middle+4, "", row.note)
	p.y += row.height()
}

// shares draws many sockets as one bar, which shows at each time how many of
// them are in which phase, and returns where it ends. The later a phase comes,
// the higher it lies.
func (p *picture) shares(r Report, row row, a axis, bottom float64) float64 {
	columns, end := r.columns(row.sockets, a, columnWidth)
	unit := manyHeight / float64(len(row.sockets))
	for i, column := range columns {
		floor := bottom
		for phase, share := range column {
			if share > 0 {
				floor -= share * unit
				p.rect(chartLeft+float64(i)*columnWidth, floor, columnWidth, share*unit, phaseNames[phase])
			}
		}
	}
	return end
}

// textWidth guesses the width of a text. The reader's machine chooses the font.
func textWidth(text string) float64 { return 6.6 * float64(length(text)) }

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes all
	return b.String()
}
