package timeline

import (
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write the .svg and .txt files anew")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// recordings are drawn by every test that looks at a whole picture.
func recordings(t *testing.T) map[string]Recording {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]Recording{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var r Recording
		require.NoError(t, json.Unmarshal(text, &r))
		all[strings.TrimSuffix(file, ".json")] = r
	}
	return all
}

func text(t *testing.T, r Recording, width int, colour bool) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteText(&b, width, colour))
	return b.String()
}

func picturesOf(t *testing.T, r Recording) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteSVG(&b))
	return b.String()
}

// TestDrawings compares each drawing with the file beside the recording. Look at the files after -update.
func TestDrawings(t *testing.T) {
	for name, r := range recordings(t) {
		for golden, got := range map[string]string{
			name + ".svg":        picturesOf(t, r),
			name + ".txt":        text(t, r, 100, false),
			name + ".narrow.txt": text(t, r, MinWidth, false),
		} {
			t.Run(filepath.Base(golden), func(t *testing.T) {
				if *update {
					require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
				}
				want, err := os.ReadFile(golden)
				require.NoError(t, err, "run the test with -update to make it")
				assert.Equal(t, string(want), got)
			})
		}
	}
}

func TestPicturesAreWellFormedAndStandAlone(t *testing.T) {
	for name, r := range recordings(t) {
		svg := picturesOf(t, r)
		for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
			_, err := decoder.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, name)
		}
		assert.Regexp(t, `^<svg [^>]*role="img" aria-labelledby="title desc">\n<title id="title">`+regexp.QuoteMeta(r.Hazard)+`: `, svg)
		assert.Contains(t, svg, `<desc id="desc">The guarded program with libzmq 4.3.4`)
		assert.Contains(t, svg, "prefers-color-scheme: dark")
		assert.NotRegexp(t, `href|@import|url\([^#]`, svg, "%s needs another file", name)
		assert.NotRegexp(t, `NaN|Inf`, svg, name)
	}
}

func TestEveryWidthIsKept(t *testing.T) {
	prose := regexp.MustCompile(`^(\S+: |The guarded|Context made|Closed|Not closed)`)
	for name, r := range recordings(t) {
		for _, width := range []int{0, MinWidth, 73, 80, 132, 300} {
			for line := range strings.Lines(text(t, r, width, false)) {
				line = strings.TrimSuffix(line, "\n")
				if !prose.MatchString(line) {
					assert.LessOrEqual(t, length(line), max(width, MinWidth), "%s: %s", name, line)
				}
			}
		}
	}
}

func TestColourChangesNothingElse(t *testing.T) {
	for name, r := range recordings(t) {
		coloured := text(t, r, 100, true)
		assert.Contains(t, coloured, "\x1b[34m█", name)
		assert.Equal(t, text(t, r, 100, false), plain(coloured), name)
		assert.Equal(t, strings.Count(coloured, "\x1b[0m")*2, strings.Count(coloured, "\x1b["), "each is taken back")
	}
}
