package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
	"github.com/zmqsafe/zmq-exit/internal/patience"
)

// childVariable is set in the environment of the tests' child processes, in
// which the test binary acts as the demo itself.
const childVariable = "ZMQ_EXIT_DEMO_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		patience.Bound = enough // a busy system is late with lines that tests look for
		main()
	}
	os.Setenv(childVariable, "1")
	// Races are expected of the raw programs, and must not replace the status
	// that says how they ended. They are looked for in what the guarded ones
	// print.
	os.Setenv("GORACE", strings.TrimSpace(os.Getenv("GORACE")+" exitcode=0"))
	goleak.VerifyTestMain(m)
}

// runDemo runs the demo in this process.
func runDemo(args ...string) (stdout, stderr string, status int) {
	var out, errOut bytes.Buffer
	status = demo(args, strings.NewReader(""), &out, &errOut)
	return out.String(), errOut.String(), status
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"-h", "run -h", "list -h", "explain -h", "run fd-sweep -h"} {
		t.Run(args, func(t *testing.T) {
			stdout, stderr, status := runDemo(strings.Fields(args)...)
			assert.Equal(t, cli.OK, status)
			assert.True(t, strings.HasPrefix(stdout, "Usage:"), stdout)
			assert.Empty(t, stderr)
		})
	}
}

func TestWrongUsage(t *testing.T) {
	for args, want := range map[string]string{
		"walk":                         `unknown command "walk": the commands are run, list, explain, diagnose, timeline`,
		"-walk":                        "flag provided but not defined: -walk",
		"-runs 0":                      "-runs 0: it must be at least 1",
		"-runs many":                   `invalid value "many" for flag -runs`,
		"-deadline 0s":                 "-deadline 0s: it must be more than 0",
		"-parallel 0":                  "-parallel 0: it must be at least 1",
		"-mode fast":                   `unknown mode "fast": the modes are raw, guarded and both`,
		"-hazard fd-sweep,nothing":     `unknown hazard "nothing": the hazards are fd-sweep, stray-close, `,
		"-runs 1 fd-sweep":             "name hazards with -hazard",
		"run":                          "one hazard is wanted, not 0: the hazards are fd-sweep, ",
		"run fd-sweep stray-close":     "one hazard is wanted, not 2",
		"run nothing":                  `unknown hazard "nothing"`,
		"run fd-sweep -mode both":      `unknown mode "both": the modes are raw and guarded`,
		"run -mode both fd-sweep":      `unknown mode "both": the modes are raw and guarded`,
		"run fd-sweep -walk":           "flag provided but not defined: -walk",
		"list everything":              "no arguments are wanted",
		"explain":                      "one hazard is wanted, not 0",
		"explain nothing":              `unknown hazard "nothing"`,
		"explain fd-sweep -json=maybe": "flag provided but not defined: -json",
	} {
		t.Run(args, func(t *testing.T) {
			stdout, stderr, status := runDemo(strings.Fields(args)...)
			assert.Equal(t, cli.Usage, status)
			assert.Contains(t, stderr, want)
			assert.Empty(t, stdout)
		})
	}
}

func TestListAndExplain(t *testing.T) {
	list, _, status := runDemo("list")
	require.Equal(t, cli.OK, status)
	assert.Len(t, strings.Split(strings.TrimSpace(list), "\n"), len(hazards))

	for _, h := range hazards {
		t.Run(h.ID, func(t *testing.T) {
			assert.Contains(t, list, h.ID+" ")
			assert.Contains(t, list, h.Title)

			text, _, status := runDemo("explain", h.ID)
			require.Equal(t, cli.OK, status)
			assert.True(t, strings.HasPrefix(text, h.ID+": "+h.Title+"\n\nIn libzmq\n  1. "), text)
			assert.Contains(t, text, "\nWhat zmqsafe does\n")
			assert.Contains(t, text, ".cpp")
			for line := range strings.Lines(text) {
				assert.LessOrEqual(t, len(line), 100, line)
			}
		})
	}
}

func TestListJSON(t *testing.T) {
	stdout, _, status := runDemo("list", "-json")
	require.Equal(t, cli.OK, status)
	var listed []struct{ ID, Title, Explain string }
	require.NoError(t, json.Unmarshal([]byte(stdout), &listed))
	require.Len(t, listed, len(hazards))
	for i, h := range hazards {
		assert.Equal(t, h.ID, listed[i].ID)
		assert.Equal(t, h.Title, listed[i].Title)
		assert.Equal(t, h.Explain, listed[i].Explain)
	}
}
