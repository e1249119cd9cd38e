package timeline

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEveryWidthIsKept(t *testing.T) {
	prose := regexp.MustCompile(`^(How |The program|Context made|Closed|Not closed|[0-9,]+ messages? at most|libzmq may|Unread:)`)
	for name, c := range charts(t) {
		for _, width := range []int{0, MinWidth, 73, 80, 132, 300} {
			for line := range strings.Lines(text(t, c, width, false)) {
				line = strings.TrimSuffix(line, "\n")
				if !prose.MatchString(line) {
					assert.LessOrEqual(t, length(line), max(width, MinWidth), "%s: %s", name, line)
				}
			}
		}
	}
}

var colourCode = regexp.MustCompile("\x1b\\[\\d+m")

func TestColourChangesNothingElse(t *testing.T) {
	for name, c := range charts(t) {
		coloured := text(t, c, 100, true)
		assert.Contains(t, coloured, "\x1b[34m█", name)
		assert.Equal(t, text(t, c, 100, false), colourCode.ReplaceAllString(coloured, ""), name)
		assert.Equal(t, strings.Count(coloured, "\x1b[0m")*2, strings.Count(coloured, "\x1b["), "each is taken back")
	}
}
