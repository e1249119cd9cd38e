package cli

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestParse(t *testing.T) {
	for args, want := range map[string]struct {
		rest           []string
		status         int
		done           bool
		stdout, stderr string
	}{
		"":              {},
		"-n 3 a":        {rest: []string{"a"}},
		"a -n 3 b":      {rest: []string{"a", "b"}},
		"a -n 3 b -n 4": {rest: []string{"a", "b"}},
		"a -h":          {done: true, stdout: "Usage: thing do\n  -n int\n"},
		"-n":            {status: Usage, done: true, stderr: "thing do: flag needs an argument: -n\nSee thing do -h.\n"},
		"a -x":          {status: Usage, done: true, stderr: "thing do: flag provided but not defined: -x\nSee thing do -h.\n"},
	} {
		flags := flag.NewFlagSet("thing do", flag.ContinueOnError)
		flags.Int("n", 0, "")
		var stdout, stderr bytes.Buffer
		rest, status, done := Parse(flags, "Usage: $0\n", strings.Fields(args), &stdout, &stderr)
		assert.Equal(t, want.rest, rest, args)
		assert.Equal(t, want.status, status, args)
		assert.Equal(t, want.done, done, args)
		assert.Equal(t, want.stdout, strings.ReplaceAll(stdout.String(), "    \t\n", ""), args)
		assert.Equal(t, want.stderr, stderr.String(), args)
	}
}

func TestInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte("of the file"), 0o600))
	for args, want := range map[string]string{"": "of stdin", "-": "of stdin", file: "of the file"} {
		var stderr bytes.Buffer
		r, err := Input(strings.Fields(args), "thing", strings.NewReader("of stdin"), &stderr)
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		assert.Equal(t, want, string(text), args)
		assert.Empty(t, stderr.String(), "only a person is asked")
	}
	_, err := Input([]string{"a", "b"}, "", nil, nil)
	assert.EqualError(t, err, `one file is wanted, not ["a" "b"]`)
	_, err = Input([]string{file + ".missing"}, "", nil, nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
