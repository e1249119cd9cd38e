package diagnose

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// diagnoseWith runs the command on standard input and returns what it printed.
func diagnoseWith(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = Command("zmq-exit diagnose", args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

const epollAbort = "Bad file descriptor (src/epoll.cpp:100)\n"

func TestDiagnoseReadsStandardInput(t *testing.T) {
	for _, args := range [][]string{nil, {"-"}} {
		status, stdout, stderr := diagnoseWith(epollAbort, args...)
		assert.Equal(t, 0, status)
		assert.Contains(t, stdout, "fd-sweep (confidence: low)\n")
		assert.Contains(t, stdout, "zmq-exit explain fd-sweep")
		assert.Empty(t, stderr)
	}
}

func TestDiagnoseReadsAFile(t *testing.T) {
	file := filepath.Join(reports, "fd-sweep.reported.txt")
	status, stdout, _ := diagnoseWith("", file)
	assert.Equal(t, 0, status)
	assert.Contains(t, stdout, "fd-sweep (confidence: high)\n")
	assert.Contains(t, stdout, "epoll_t::add_fd")
}

func TestDiagnoseTakesTheRelease(t *testing.T) {
	_, stdout, _ := diagnoseWith(epollAbort, "-", "-libzmq", "4.3.5")
	assert.Contains(t, stdout, "epoll_t::set_pollin")
	assert.NotContains(t, stdout, "epoll_t::add_fd")
}

func TestDiagnoseSaysUnknown(t *testing.T) {
	status, stdout, _ := diagnoseWith("all is well\n")
	assert.Equal(t, 1, status)
	assert.Contains(t, stdout, "unknown")
	assert.Contains(t, stdout, "gdb -batch")
	assert.NotContains(t, stdout, "explain")
}

func TestDiagnoseJSON(t *testing.T) {
	for stdin, want := range map[string]struct {
		status int
		hazard string
	}{
		epollAbort: {0, "fd-sweep"},
		"":         {1, "unknown"},
	} {
		status, stdout, _ := diagnoseWith(stdin, "-json", "-libzmq", "4.3.4")
		assert.Equal(t, want.status, status)
		var verdict struct {
			Hazard string
			Libzmq string
		}
		require.NoError(t, json.Unmarshal([]byte(stdout), &verdict))
		assert.Equal(t, want.hazard, verdict.Hazard)
		assert.Equal(t, "4.3.4", verdict.Libzmq)
	}
}

func TestDiagnoseWrongUsage(t *testing.T) {
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"a", "b"}, "one file is wanted"},
		{[]string{"-nonsense"}, "-nonsense"},
		{[]string{"-libzmq", "4.3"}, "give three numbers, such as 4.3.4"},
		{[]string{filepath.Join(t.TempDir(), "missing")}, "no such file"},
		{[]string{t.TempDir()}, "is a directory"},
	}
	for _, tt := range tests {
		status, stdout, stderr := diagnoseWith("", tt.args...)
		assert.Equal(t, 2, status, tt.args)
		assert.Empty(t, stdout)
		assert.Contains(t, stderr, tt.want)
		assert.Contains(t, stderr, "See zmq-exit diagnose -h.")
	}
}

// A wrong flag is told before a person has pasted a report.
func TestDiagnoseWrongReleaseReadsNothing(t *testing.T) {
	unread := strings.NewReader(epollAbort)
	var stdout, stderr bytes.Buffer
	assert.Equal(t, 2, Command("zmq-exit diagnose", []string{"-libzmq", "4.3"}, unread, &stdout, &stderr))
	assert.Equal(t, len(epollAbort), unread.Len())
}

func TestDiagnoseStandardInputThatFails(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := Command("zmq-exit diagnose", nil, iotest.ErrReader(errors.New("broken pipe")), &stdout, &stderr)
	assert.Equal(t, 2, status)
	assert.Contains(t, stderr.String(), "broken pipe")
}

func TestDiagnoseHelp(t *testing.T) {
	status, stdout, stderr := diagnoseWith("", "-h")
	assert.Equal(t, 0, status)
	assert.Contains(t, stdout, "Usage: zmq-exit diagnose")
	assert.Contains(t, stdout, "-libzmq release")
	assert.Empty(t, stderr)
}
