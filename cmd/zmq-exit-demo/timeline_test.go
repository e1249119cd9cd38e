package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
	"github.com/zmqsafe/zmq-exit/cmd/internal/timeline"
)

// reportOf returns the closing report of a hazard's guarded program, which must
// close one context and end cleanly.
func reportOf(t *testing.T, id string) timeline.Report {
	t.Helper()
	stdout, stderr, status := runDemo("timeline", id, "-json", "-deadline", enough.String())
	require.Equal(t, cli.OK, status, stderr)
	assert.Empty(t, stderr)
	reports, err := timeline.Parse([]byte(stdout))
	require.NoError(t, err)
	require.Len(t, reports, 1)
	return reports[0]
}

func TestTimelineOfInfiniteLinger(t *testing.T) {
	t.Parallel()
	r := reportOf(t, "infinite-linger")
	assert.Contains(t, r.MadeAt, "hazard_infinite_linger.go:")
	assert.False(t, r.Began.IsZero())
	assert.True(t, r.Deadline.After(r.Began))
	assert.NotEmpty(t, r.Steps)
	require.Len(t, r.Sockets, 1)
	s := r.Sockets[0]
	assert.Equal(t, "PUSH", s.Type)
	assert.Contains(t, s.MadeAt, "hazard_infinite_linger.go:")
	assert.Len(t, s.Endpoints, 1)
	assert.Equal(t, "forever", s.Linger)
	assert.NotEqual(t, "forever", s.EffectiveLinger)
	assert.EqualValues(t, 1, s.Accepted)
	assert.True(t, s.Created.Before(r.Began))
	assert.False(t, s.Closed.IsZero())
	assert.Contains(t, []string{"ran out", "holding"}, s.Outcome)
}

func TestTimelineOfCallsThatWait(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: -short, and this one takes every core")
	}
	r := reportOf(t, "blocked-threads")
	assert.True(t, r.Done)
	assert.Len(t, r.Sockets, devices)
	waiting := 0
	for _, s := range r.Sockets {
		waiting += s.Waiting.Receives
		require.False(t, s.Woken.IsZero() || s.Closed.IsZero() || s.Released.IsZero())
	}
	assert.Positive(t, waiting)
}

// The sender of exit-after-send is a process that the program starts.
func TestTimelineOfAProcessThatTheProgramStarts(t *testing.T) {
	t.Parallel()
	assert.Contains(t, reportOf(t, "exit-after-send").MadeAt, "hazard_exit_after_send.go:")
}

func TestTimelineOfAProgramInC(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: -short, and this one has to be built first")
	}
	t.Parallel()
	r := reportOf(t, "c-host-exit")
	assert.Contains(t, r.MadeAt, "guarded/main.go:")
	assert.Len(t, r.Sockets, 1)
}

// A name that is never resolved holds the context beyond the end of the
// program.
func TestTimelineOfACloseThatIsNotDone(t *testing.T) {
	t.Parallel()
	runOrSkip(t, slowDNS, guarded, enough)
	r := reportOf(t, "slow-dns")
	assert.False(t, r.Done)
	require.Len(t, r.Sockets, 1)
	assert.Equal(t, "holding", r.Sockets[0].Outcome)
	assert.True(t, r.Sockets[0].Released.IsZero())
}

func TestTimelineDraws(t *testing.T) {
	stdout, stderr, status := runDemo("timeline", "term-open-socket", "-deadline", enough.String())
	require.Equal(t, cli.OK, status, stderr)
	assert.Contains(t, stdout, "term-open-socket: ")
	assert.Regexp(t, `(?m)^PULL hazard_term_open_socket.go:\d+ .*█`, stdout)
	assert.NotContains(t, stdout, "\x1b", "colours are for a terminal")

	stdout, stderr, status = runDemo("timeline", "-svg", "-", "term-open-socket", "-deadline", enough.String())
	require.Equal(t, cli.OK, status, stderr)
	assert.True(t, strings.HasPrefix(stdout, "<svg "), stdout)

	file := filepath.Join(t.TempDir(), "picture.svg")
	stdout, stderr, status = runDemo("timeline", "term-open-socket", "-svg", file, "-deadline", enough.String())
	require.Equal(t, cli.OK, status, stderr)
	assert.Empty(t, stdout)
	picture, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Regexp(t, `(?s)^<svg .*</svg>\n$`, string(picture))
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
		assert.Equal(t, cli.Failed, status, stderr)
		assert.Contains(t, stderr, "nothing to draw: ")
		after, err := os.ReadFile(file)
		if before == "" {
			assert.ErrorIs(t, err, os.ErrNotExist)
		}
		assert.Equal(t, before, string(after))
	}
}

func TestTimelineWrongUsage(t *testing.T) {
	const notRun = "fd-sweep -deadline 1ns -svg " // there would be nothing to draw
	for args, want := range map[string]string{
		"":                                "one hazard is wanted, not 0",
		"fd-sweep stray-close":            "one hazard is wanted, not 2",
		"nothing":                         `unknown hazard "nothing": the hazards are fd-sweep, `,
		"fd-sweep -deadline 0s":           "-deadline 0s: it must be more than 0",
		"fd-sweep -svg - -json":           "-svg and -json: only one of them",
		"fd-sweep -svg":                   "flag needs an argument: -svg",
		"fd-sweep -walk":                  "flag provided but not defined: -walk",
		notRun + "missing/file.svg":       "no such file or directory",
		notRun + os.TempDir():             "is a directory",
		"fd-sweep -deadline 10":           `invalid value "10" for flag -deadline`,
		"fd-sweep -json=maybe -svg a.svg": `invalid boolean value "maybe"`,
	} {
		stdout, stderr, status := runDemo(append([]string{"timeline"}, strings.Fields(args)...)...)
		assert.Equal(t, cli.Usage, status, args)
		assert.Contains(t, stderr, want)
		assert.Contains(t, stderr, "See zmq-exit-demo timeline -h.")
		assert.Empty(t, stdout)
	}
}
