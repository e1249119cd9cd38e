package diagnose

import (
	"fmt"
	"strings"
)

// String returns the verdict as human-readable text of several lines.
func (v Verdict) String() string {
	var b strings.Builder
	if v.Hazard == Unknown {
		b.WriteString("unknown: this report matches none of the hazards\n")
	} else {
		fmt.Fprintf(&b, "%s (confidence: %s)\n%s\n", v.Hazard, v.Confidence, v.Cause)
	}
	if len(v.Functions) > 0 {
		b.WriteString("\nAborted in\n")
		for _, f := range v.Functions {
			fmt.Fprintf(&b, "  %s", f.Name)
			if len(f.Releases) > 0 {
				fmt.Fprintf(&b, ", if libzmq is %s", span(f.Releases))
			}
			b.WriteByte('\n')
		}
	}
	if len(v.Why) > 0 {
		b.WriteString("\nWhy\n")
		for i, e := range v.Why {
			if i == 0 || e.Line != v.Why[i-1].Line {
				fmt.Fprintf(&b, "  line %d: %s\n", e.Line, e.Text)
			}
			fmt.Fprintf(&b, "    %s\n", e.Means)
		}
	}
	if len(v.Others) > 0 {
		b.WriteString("\nIt may also be\n")
		for _, c := range v.Others {
			fmt.Fprintf(&b, "  %s, if %s\n", c.Hazard, c.When)
		}
	}
	if v.Remedy != "" {
		fmt.Fprintf(&b, "\nRemedy\n  %s\n", v.Remedy)
	}
	if len(v.Next) > 0 {
		b.WriteString("\nTo learn more, collect\n")
		for _, s := range v.Next {
			fmt.Fprintf(&b, "  - %s\n", s)
		}
	}
	return b.String()
}

func span(releases []string) string {
	first, last := releases[0], releases[len(releases)-1]
	if first == last {
		return first
	}
	return first + " to " + last
}
