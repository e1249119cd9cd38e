package timeline

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

// run runs the command and returns what it printed.
func run(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = Command("zmq-exit timeline", args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func TestCommandReadsReports(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(file, []byte(fullReport), 0o600))
	for name, tt := range map[string]struct {
		stdin string
		args  []string
	}{
		"standard input":          {fullReport, nil},
		"standard input, named -": {fullReport, []string{"-"}},
		file:                      {"", []string{file}},
	} {
		status, stdout, stderr := run(tt.stdin, tt.args...)
		assert.Equal(t, cli.OK, status)
		assert.Empty(t, stderr)
		subtitle, _, _ := strings.Cut(name, ",")
		assert.True(t, strings.HasPrefix(stdout, "Closing report\n"+subtitle+"\n\nContext made at dir/file.go:42\nClosed in 1.2s of 5s. "), stdout)
		assert.Regexp(t, `(?m)^PUSH file.go:50 .*█▲ +ran out at 250ms$`, stdout)
	}
	status, stdout, _ := run(fullReport, "-", "-svg", "-")
	assert.Equal(t, cli.OK, status)
	assert.True(t, strings.HasPrefix(stdout, "<svg "), stdout)
}

func TestCommandWithBadInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"version": 7}`), 0o600))
	for name, tt := range map[string]struct {
		stdin  string
		args   []string
		status int
		stderr string
	}{
		"newer":           {"", []string{file}, cli.Failed, "zmq-exit timeline: " + file + ": this is report version 7; this zmq-exit reads version 1: install a newer one\n"},
		"text":            {"closed in 1.2s", nil, cli.Failed, "zmq-exit timeline: standard input: not JSON: invalid character 'c' "},
		"nothing":         {"", nil, cli.Failed, "zmq-exit timeline: standard input: nothing there; "},
		"two files":       {"", []string{file, file}, cli.Usage, "zmq-exit timeline: one file is wanted, not ["},
		"unknown flag":    {"", []string{"-json"}, cli.Usage, "zmq-exit timeline: flag provided but not defined: -json\nSee zmq-exit timeline -h.\n"},
		"no such file":    {"", []string{file + ".missing"}, cli.Usage, "zmq-exit timeline: open " + file + ".missing: no such file"},
		"a directory":     {"", []string{t.TempDir()}, cli.Usage, "zmq-exit timeline: read "},
		"no such picture": {fullReport, []string{"-svg", file + ".missing/picture.svg"}, cli.Usage, "zmq-exit timeline: open "},
	} {
		status, stdout, stderr := run(tt.stdin, tt.args...)
		assert.Equal(t, tt.status, status, name)
		assert.Empty(t, stdout, name)
		assert.True(t, strings.HasPrefix(stderr, tt.stderr), "%s: %s", name, stderr)
	}
}

func TestCommandHelp(t *testing.T) {
	status, stdout, stderr := run("", "-h")
	assert.Equal(t, cli.OK, status)
	assert.Empty(t, stderr)
	assert.True(t, strings.HasPrefix(stdout, "Usage: zmq-exit timeline "), stdout)
	for _, want := range []string{"ZMQSAFE_REPORT=report.json", "-svg file", "Exit status: 0 ", "lingering "} {
		assert.Contains(t, stdout, want)
	}
	for line := range strings.Lines(stdout) {
		assert.LessOrEqual(t, length(line), 90, line)
	}
}
