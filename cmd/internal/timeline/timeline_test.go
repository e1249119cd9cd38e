package timeline

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
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

// charts are drawn by every test that looks at a whole picture.
func charts(t *testing.T) map[string]Chart {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]Chart{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		reports, err := Parse(text)
		require.NoError(t, err)
		name := strings.TrimSuffix(file, ".json")
		all[name] = Chart{Title: "How <" + filepath.Base(name) + "> closed", Subtitle: "The program with libzmq 4.3.4", Reports: reports}
	}
	return all
}

func text(t *testing.T, c Chart, width int, colour bool) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.WriteText(&b, width, colour))
	return b.String()
}

func pictureOf(t *testing.T, c Chart) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.WriteSVG(&b))
	return b.String()
}

// TestDrawings compares each drawing with the file beside the reports. Look at
// the files after -update.
func TestDrawings(t *testing.T) {
	for name, c := range charts(t) {
		for golden, got := range map[string]string{
			name + ".svg":        pictureOf(t, c),
			name + ".txt":        text(t, c, 100, false),
			name + ".narrow.txt": text(t, c, MinWidth, false),
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

func TestDraw(t *testing.T) {
	c := charts(t)[filepath.Join("testdata", "deadline")]
	var stdout bytes.Buffer
	require.NoError(t, c.Draw("-", &stdout))
	assert.Equal(t, pictureOf(t, c), stdout.String())

	file := filepath.Join(t.TempDir(), "picture.svg")
	require.NoError(t, os.WriteFile(file, bytes.Repeat([]byte("x"), 1<<20), 0o600))
	require.NoError(t, c.Draw(file, nil))
	picture, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, pictureOf(t, c), string(picture), "nothing is left of what was there")

	require.NoError(t, c.Draw(os.DevNull, nil))
	assert.ErrorIs(t, c.Draw(filepath.Join(t.TempDir(), "missing", "picture.svg"), nil), os.ErrNotExist)

	t.Setenv("COLUMNS", "80")
	stdout.Reset()
	require.NoError(t, c.Draw("", &stdout))
	assert.Equal(t, text(t, c, 80, false), stdout.String(), "colours are for a terminal")
}
