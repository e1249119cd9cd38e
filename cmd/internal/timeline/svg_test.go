package timeline

import (
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPicturesAreWellFormedAndStandAlone(t *testing.T) {
	for name, c := range charts(t) {
		svg := pictureOf(t, c)
		for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
			_, err := decoder.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, name)
		}
		assert.Regexp(t, `^<svg [^>]*role="img" aria-labelledby="title desc">\n<title id="title">`+regexp.QuoteMeta(escaped(c.Title))+"</title>\n", svg)
		assert.Contains(t, svg, `<desc id="desc">The program with libzmq 4.3.4`)
		assert.Contains(t, svg, "prefers-color-scheme: dark")
		assert.NotRegexp(t, `href|@import|url\([^#]`, svg, "%s needs another file", name)
		assert.NotRegexp(t, `NaN|Inf`, svg, name)
	}
}
