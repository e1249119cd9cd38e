package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestCommands(t *testing.T) {
	for args, want := range map[string]struct {
		status         int
		stdout, stderr string
	}{
		"diagnose":         {0, "fd-sweep (confidence: low)\n", ""},
		"explain fd-sweep": {0, "fd-sweep: ", ""},
		"timeline":         {1, "", "zmq-exit timeline: standard input: not JSON: "},
		"-h":               {0, overview, ""},
		"help":             {0, overview, ""},
		"diagnose -h":      {0, "Usage: zmq-exit diagnose ", ""},
		"timeline -h":      {0, "Usage: zmq-exit timeline ", ""},
		"":                 {2, "", overview},
		"list":             {2, "", "zmq-exit: unknown command \"list\": the commands are diagnose, explain, timeline\nSee zmq-exit -h.\n"},
		"-json":            {2, "", `zmq-exit: unknown command "-json"`},
	} {
		var stdout, stderr bytes.Buffer
		status := run(strings.Fields(args), strings.NewReader("Bad file descriptor (src/epoll.cpp:100)\n"), &stdout, &stderr)
		assert.Equal(t, want.status, status, args)
		for _, of := range []struct{ got, want string }{{stdout.String(), want.stdout}, {stderr.String(), want.stderr}} {
			assert.True(t, strings.HasPrefix(of.got, of.want), "%s: %s", args, of.got)
			assert.Equal(t, of.want == "", of.got == "", args)
		}
	}
}

// What diagnose prints leads to the explanation, which must be there, too.
func TestDiagnosisLeadsToTheExplanation(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.Zero(t, run([]string{"diagnose"}, strings.NewReader("Bad file descriptor (src/epoll.cpp:100)\n"), &stdout, &stderr))
	_, command, found := strings.Cut(stdout.String(), "\nWhat happens in libzmq: zmq-exit ")
	require.True(t, found, stdout.String())
	assert.Zero(t, run(strings.Fields(command), nil, &stdout, &stderr), command)
}

// Who had a crash needs neither libzmq nor a C compiler to understand it.
func TestInstallsWithoutLibzmq(t *testing.T) {
	systems := []string{"linux", "darwin", "windows"}
	if testing.Short() {
		systems = systems[:1] // the others may have to build the standard library
	}
	for _, system := range systems {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, ".")
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system)
		output, err := build.CombinedOutput()
		assert.NoError(t, err, "%s: %s", system, output)
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
	list.Stderr = os.Stderr
	deps, err := list.Output()
	require.NoError(t, err)
	for dep := range strings.Lines(string(deps)) {
		assert.NotContains(t, dep, "zmq4")
		assert.NotRegexp(t, `^github.com/zmqsafe/zmq-exit/(zmqsafe|shutdown)`, dep)
	}
	assert.NotContains(t, string(deps), "runtime/cgo\n")
}
