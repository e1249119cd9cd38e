package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rawOutcomes is how the raw programs end. clean stands where they can be lucky,
// failed where that is the race detector's status.
var rawOutcomes = map[string][]outcome{
	"fd-sweep":         {abort},
	"stray-close":      {abort},
	"close-while-recv": {abort, hang, crash, clean, failed},
	"shared-socket":    {abort, crash, hang, clean},
	"term-open-socket": {hang},
	"infinite-linger":  {hang},
	"exit-after-send":  {lost, clean},
	"monitor-close":    {abort, hang, crash, clean, failed},
	"socket-limit":     {abort, crash},
	"dropped-context":  {hang},
	"proxy-stop":       {lost, abort, crash, hang, clean},
	"auth-stop":        {hang},
	"c-host-exit":      {abort},
	"sigterm":          {hang, clean},
	"slow-dns":         {hang},
	"blocked-threads":  {crash, abort, failed},
}

const (
	enough    = time.Minute     // for a program that doesn't hang
	noLonger  = 3 * time.Second // for one that does
	sweepRuns = 20
)

func TestRaw(t *testing.T) {
	for _, h := range hazards {
		t.Run(h.ID, func(t *testing.T) {
			want := rawOutcomes[h.ID]
			require.NotEmpty(t, want)
			deadline := enough
			for _, o := range want {
				if o == hang {
					deadline = noLonger
				}
			}
			if testing.Short() && deadline == noLonger {
				t.Skip("not run: -short, and this one may have to be waited for")
			}
			if !h.Busy {
				t.Parallel()
			}
			r := runOrSkip(t, h, raw, deadline)
			assert.Contains(t, want, r.Outcome, r.Stderr)
		})
	}
}

// prepared returns a hazard ready to run.
func prepared(t *testing.T, h hazard) hazard {
	t.Helper()
	if testing.Short() && h.Prepare != nil {
		t.Skip("not run: -short, and this one has to be built first")
	}
	ready, err := prepare(t.Context(), []hazard{h}, t.TempDir())
	require.NoError(t, err)
	return ready[0]
}

func TestGuarded(t *testing.T) {
	for _, h := range hazards {
		t.Run(h.ID, func(t *testing.T) {
			if testing.Short() && h.Busy {
				t.Skip("not run: -short, and this one takes every core")
			}
			if !h.Busy {
				t.Parallel()
			}
			r := runOrSkip(t, h, guarded, enough)
			assert.Equal(t, clean, r.Outcome, r.Stderr)
			assert.NotContains(t, r.Stderr, "DATA RACE")
		})
	}
}

func runOrSkip(t *testing.T, h hazard, m mode, deadline time.Duration) result {
	t.Helper()
	r, err := runChild(t.Context(), prepared(t, h), m, deadline)
	require.NoError(t, err)
	if r.Outcome == skipped {
		t.Skip("SKIPPED: " + r.Reason)
	}
	return r
}

// What the demo is judged by: 19 of 20.
func TestRawFdSweepAbortsInAddFd(t *testing.T) {
	if testing.Short() {
		t.Skip("not run: -short, and it takes twenty runs")
	}
	s := settings{Hazards: []hazard{fdSweep}, Modes: []mode{raw}, Runs: sweepRuns, Deadline: enough, Parallel: 4}
	rep := newReport(s, loadedLibzmq())
	require.NoError(t, measure(t.Context(), s, rep.add))
	rep.judge(false)
	assert.True(t, rep.Shown, rep.Summary)
	assert.Equal(t, sweepRuns, rep.Hazards[0].Raw.Runs)
	assert.GreaterOrEqual(t, rep.Hazards[0].Raw.InAddFd, sweepRuns*19/20)
}

// The guarded program says what it gave up.
func TestInfiniteLingerIsReported(t *testing.T) {
	t.Parallel()
	r, err := runChild(t.Context(), infiniteLinger, guarded, enough)
	require.NoError(t, err)
	assert.Contains(t, r.Stderr, "PUSH")
	assert.Contains(t, r.Stderr, "tcp://127.0.0.1:")
	assert.Contains(t, r.Stderr, "hazard_infinite_linger.go:")
}

// The guarded program says what it left behind.
func TestSlowDNSIsReported(t *testing.T) {
	t.Parallel()
	r := runOrSkip(t, slowDNS, guarded, enough)
	for _, what := range []string{"still isn't closed", "not closed in time"} { // the first while it waits
		assert.Regexp(t, `context made at \S*hazard_slow_dns.go:\d+ `+what+`.*PUSH socket made at \S*hazard_slow_dns.go:\d+ .*looking up the host name collector.metrics`, r.Stderr)
	}
}

// The guarded program says what it lost.
func TestDroppedContextIsReported(t *testing.T) {
	t.Parallel()
	r, err := runChild(t.Context(), droppedContext, guarded, enough)
	require.NoError(t, err)
	assert.Regexp(t, `context made at \S*hazard_dropped_context.go:\d+ was lost without Close`, r.Stderr)
}

// A guarded program is the raw one with another import, but for a few lines that
// are to be seen at a glance.
func TestGuardedIsRawButForTheImport(t *testing.T) {
	body := regexp.MustCompile(`(?ms)^func \w+(Raw|Guarded)\(.*?\) error \{\n(.*?)^\}`)
	for _, h := range hazards {
		t.Run(h.ID, func(t *testing.T) {
			source, err := os.ReadFile("hazard_" + strings.ReplaceAll(h.ID, "-", "_") + ".go")
			require.NoError(t, err)
			bodies := body.FindAllStringSubmatch(string(source), -1)
			require.Len(t, bodies, 2)
			require.Equal(t, "Raw", bodies[0][1])
			added := linesAdded(bodies[0][2], strings.ReplaceAll(bodies[1][2], "zmqsafe.", "zmq4."))
			assert.LessOrEqual(t, len(added), 5, "%q", added)
		})
	}
}

// linesAdded returns the lines of guarded that raw doesn't have.
func linesAdded(raw, guarded string) (added []string) {
	left := map[string]int{}
	for line := range strings.Lines(raw) {
		left[line]++
	}
	for line := range strings.Lines(guarded) {
		if left[line]--; left[line] < 0 {
			added = append(added, line)
		}
	}
	return added
}
