package timeline

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// The picture's measures, in pixels at its natural size.
const (
	pictureWidth = 980
	margin       = 20
	chartLeft    = 270
	chartWidth   = 510
	chartRight   = chartLeft + chartWidth
	notesLeft    = chartRight + 14
	breakWidth   = 12 // of the axis
	rowHeight    = 32
	barHeight    = 16
	manyHeight   = 28
)

// WriteSVG writes a picture that stands alone: it needs no other file, and follows the reader's choice of a light or dark
// page. The phases differ in their patterns, too. Bars have details as tooltips.
func (r Recording) WriteSVG(w io.Writer) error {
	p := &picture{}
	p.y = margin + 16
	p.text(margin, p.y, "title", "start", r.Hazard+": "+r.Title)
	p.y += 20
	p.text(margin, p.y, "", "start", r.subtitle())
	p.y += 12
	p.legend()
	for _, c := range r.Contexts {
		p.context(c, r.several())
	}
	p.y += margin

	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title desc">`+"\n",
		pictureWidth, p.y)
	fmt.Fprintf(&out, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", escaped(r.Hazard+": "+r.Title), escaped(r.description()))
	out.WriteString(svgStyle)
	fmt.Fprintf(&out, "<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n", pictureWidth, p.y)
	out.WriteString(p.out.String())
	out.WriteString("</svg>\n")
	_, err := io.WriteString(w, out.String())
	return err
}

// description says what the picture shows, for those who don't see it.
func (r Recording) description() string {
	said := []string{r.subtitle() + "."}
	for _, c := range r.Contexts {
		said = append(said, c.heading(r.several())+".", c.outcome())
		if len(c.Steps) > 0 {
			said = append(said, "Steps of the close: "+strings.Join(c.key(), ", ")+".")
		}
		for _, row := range c.rows() {
			said = append(said, fmt.Sprintf("%s: %s.", row.name, row.note))
		}
	}
	return strings.Join(said, "\n")
}

// picture is a picture while it is drawn, from top to bottom.
type picture struct {
	out strings.Builder
	y   int
}

func (p *picture) text(x float64, y int, class, anchor, text string) {
	if class != "" {
		class = fmt.Sprintf(" class=%q", class)
	}
	if anchor != "start" {
		class += fmt.Sprintf(" text-anchor=%q", anchor)
	}
	fmt.Fprintf(&p.out, "<text x=\"%s\" y=\"%d\"%s>%s</text>\n", number(x), y, class, escaped(text))
}

func (p *picture) rect(x, y, width, height float64, class string) {
	fmt.Fprintf(&p.out, "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>\n", class, number(x), number(y), number(width), number(height))
}

func (p *picture) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(&p.out, "<line class=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n", class, number(x1), number(y1), number(x2), number(y2))
}

// mark draws the end of a bar, around a point.
func (p *picture) mark(m mark, x, y float64) {
	switch m {
	case goneMark:
		fmt.Fprintf(&p.out, "<circle class=\"gone\" cx=\"%s\" cy=\"%s\" r=\"4.5\"/>\n", number(x), number(y))
	case ranOutMark:
		fmt.Fprintf(&p.out, "<path class=\"ranout\" d=\"M%s %sl6.5 11h-13z\"/>\n", number(x), number(y-6.5))
	case holdingMark:
		fmt.Fprintf(&p.out, "<path class=\"ranout\" d=\"M%s %sl11 6.5l-11 6.5z\"/>\n", number(x-3), number(y-6.5))
	}
}

// legend explains phases and marks, in two lines.
func (p *picture) legend() {
	p.y += 14
	x := float64(margin)
	for i, name := range phaseNames {
		p.rect(x, float64(p.y-10), 24, 12, phaseNames[i])
		p.text(x+30, p.y, "", "start", name)
		x += 30 + textWidth(name) + 18
	}
	for m := goneMark; m <= holdingMark; m++ {
		p.mark(m, x+6, float64(p.y-4))
		p.text(x+17, p.y, "", "start", markNames[m])
		x += 17 + textWidth(markNames[m]) + 18
	}
	p.y += 8
}

// textWidth guesses the width of a text in the picture's font, which the reader's machine chooses.
func textWidth(text string) float64 { return 6.6 * float64(length(text)) }

func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.1f", v), "0"), ".")
}

func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes all
	return b.String()
}
