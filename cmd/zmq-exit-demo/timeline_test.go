package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/zmq-exit-demo/internal/timeline"
)

// record returns what timeline records of a hazard's guarded program, which has to end
// cleanly.
func record(t *testing.T, id string) timeline.Recording {
	t.Helper()
	stdout, stderr, status := runDemo("timeline", id, "-json", "-deadline", enough.String())
	require.Equal(t, exitOK, status, stderr)
	assert.Empty(t, stderr)
	var r timeline.Recording
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, id, r.Hazard)
	assert.Equal(t, "clean", r.Outcome)
	return r
}

func TestTimelineOfInfiniteLinger(t *testing.T) {
	t.Parallel()
	r := record(t, "infinite-linger")
	require.Len(t, r.Contexts, 1)
	c := r.Contexts[0]
	assert.Contains(t, c.Site, "hazard_infinite_linger.go:")
	assert.False(t, c.Began.IsZero())
	assert.True(t, c.Deadline.After(c.Began))
	assert.NotEmpty(t, c.Steps)
	require.Len(t, c.Sockets, 1)
	s := c.Sockets[0]
	assert.Equal(t, "PUSH", s.Type)
	assert.Equal(t, "forever", s.Linger)
	assert.NotEqual(t, "forever", s.Lingers)
	assert.EqualValues(t, 1, s.Accepted)
	assert.False(t, s.Closed.IsZero())
	assert.NotEqual(t, timeline.Gone, s.Outcome)
}

func TestTimelineOfCloseWhileRecv(t *testing.T) {
	t.Parallel()
	var seen []timeline.Blocked
	for range 20 { // on a machine that is busy enough nobody looks in time
		r := record(t, "close-while-recv")
		require.Len(t, r.Contexts, 1)
		assert.True(t, r.Contexts[0].Done)
		for _, s := range r.Contexts[0].Sockets {
			assert.Contains(t, s.Site, "hazard_close_while_recv.go:")
			assert.False(t, s.Closed.IsZero())
			seen = append(seen, s.Blocked...)
		}
		if seen != nil {
			break
		}
	}
	require.NotEmpty(t, seen)
	assert.Equal(t, "1 receive", seen[0].Calls)
}

// The sender of exit-after-send is a process that the program starts.
func TestTimelineOfAProcessThatTheProgramStarts(t *testing.T) {
	t.Parallel()
	r := record(t, "exit-after-send")
	require.Len(t, r.Contexts, 1)
	assert.Equal(t, 2, r.Contexts[0].Process)
	assert.Contains(t, r.Contexts[0].Site, "hazard_exit_after_send.go:")
}

func TestTimelineDraws(t *testing.T) {
	stdout, stderr, status := runDemo("timeline", "term-open-socket", "-deadline", enough.String())
	require.Equal(t, exitOK, status, stderr)
	assert.Contains(t, stdout, "term-open-socket: ")
	assert.Regexp(t, `(?m)^PULL hazard_term_open_socket.go:\d+ .*█`, stdout)
	assert.NotContains(t, stdout, "\x1b", "colours are for a terminal")

	stdout, stderr, status = runDemo("timeline", "-svg", "-", "term-open-socket", "-deadline", enough.String())
	require.Equal(t, exitOK, status, stderr)
	assert.True(t, strings.HasPrefix(stdout, "<svg "), stdout)

	file := filepath.Join(t.TempDir(), "picture.svg")
	require.NoError(t, os.WriteFile(file, bytes.Repeat([]byte("x"), 1<<20), 0o600))
	stdout, stderr, status = runDemo("timeline", "term-open-socket", "-svg", file, "-deadline", enough.String())
	require.Equal(t, exitOK, status, stderr)
	assert.Empty(t, stdout)
	picture, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Regexp(t, `(?s)^<svg .*</svg>\n$`, string(picture), "nothing is left of what was there")

	_, stderr, status = runDemo("timeline", "term-open-socket", "-svg", os.DevNull, "-deadline", enough.String())
	assert.Equal(t, exitOK, status, stderr)
}

// A run of which there is nothing to draw leaves the picture as it was.
func TestTimelineKeepsThePicture(t *testing.T) {
	tooSoon := []string{"timeline", "term-open-socket", "-deadline", "1ns", "-svg"}
	for _, before := range []string{"", "an older picture"} {
		file := filepath.Join(t.TempDir(), "picture.svg")
		if before != "" {
			require.NoError(t, os.WriteFile(file, []byte(before), 0o600))
		}
		_, stderr, status := runDemo(append(tooSoon, file)...)
		assert.Equal(t, exitFailed, status, stderr)
		after, err := os.ReadFile(file)
		if before == "" {
			assert.ErrorIs(t, err, os.ErrNotExist)
		}
		assert.Equal(t, before, string(after))
	}
}

func TestTimelineWidth(t *testing.T) {
	for columns, want := range map[string]int{"": widthOfPipe, "133": 133, "0": widthOfPipe, "-5": widthOfPipe, "wide": widthOfPipe} {
		t.Setenv("COLUMNS", columns)
		assert.Equal(t, want, terminalWidth(new(bytes.Buffer)), columns)
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, but no terminal
		require.NoError(t, err)
		assert.Equal(t, want, terminalWidth(null), columns)
		require.NoError(t, null.Close())
	}
}

func TestTimelineWrongUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                                "one hazard is wanted, not 0",
		"fd-sweep stray-close":            "one hazard is wanted, not 2",
		"nothing":                         `unknown hazard "nothing": the hazards are fd-sweep, `,
		"fd-sweep -deadline 0s":           "-deadline 0s: it must be more than 0",
		"fd-sweep -svg - -json":           "-svg and -json: only one of them",
		"fd-sweep -svg":                   "flag needs an argument: -svg",
		"fd-sweep -walk":                  "flag provided but not defined: -walk",
		"fd-sweep -svg missing/file.svg":  "no such file or directory",
		"fd-sweep -svg " + os.TempDir():   "is a directory",
		"fd-sweep -deadline 10":           `invalid value "10" for flag -deadline`,
		"fd-sweep -json=maybe -svg a.svg": `invalid boolean value "maybe"`,
	} {
		stdout, stderr, status := runDemo(append([]string{"timeline"}, strings.Fields(args)...)...)
		assert.Equal(t, exitUsage, status, args)
		assert.Contains(t, stderr, want)
		assert.Contains(t, stderr, "See zmq-exit-demo timeline -h.")
		assert.Empty(t, stdout)
	}
}

func TestTimelineOfAProgramInC(t *testing.T) {
	stdout, stderr, status := runDemo("timeline", "c-host-exit")
	assert.Equal(t, exitFailed, status)
	assert.Contains(t, stderr, "nothing to draw: the programs of c-host-exit are in C")
	assert.Empty(t, stdout)
}
