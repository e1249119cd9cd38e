package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
)

const (
	enough    = time.Minute     // for a program that doesn't hang
	noLonger  = 3 * time.Second // for one that does
	sweepRuns = 20
)

// Each hazard has its texts, each text its programs, and both know the same
// outcomes.
func TestHazardsHaveTextsAndPrograms(t *testing.T) {
	var ids []string
	for _, h := range hazards {
		ids = append(ids, h.ID)
		assert.NotNil(t, h.Raw, h.ID)
		assert.NotNil(t, h.Guarded, h.ID)
		for _, o := range h.Outcomes {
			assert.Contains(t, outcomes, outcome(o), h.ID)
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(explain.Hazards)), ids)
}

func TestRaw(t *testing.T) {
	for _, h := range hazards {
		t.Run(h.ID, func(t *testing.T) {
			deadline := enough
			if slices.Contains(h.Outcomes, string(hang)) {
				deadline = noLonger
			}
			if testing.Short() && deadline == noLonger {
				t.Skip("not run: -short, and this one may have to be waited for")
			}
			if !h.Busy {
				t.Parallel()
			}
			r := runOrSkip(t, h, raw, deadline)
			assert.Contains(t, h.Outcomes, string(r.Outcome), r.Stderr)
		})
	}
}

// prepared returns a hazard ready to run.
func prepared(t *testing.T, h hazard) hazard {
	t.Helper()
	if testing.Short() && h.Prepare != nil {
		t.Skip("not run: -short, and this one has to be built first")
	}
	ready, err := prepare(t.Context(), h, t.TempDir())
	require.NoError(t, err)
	return ready
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

// The demo is judged by this: 19 of 20.
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
	for _, what := range []string{"zmqsafe: context still isn't closed", "zmqsafe: context not closed in time"} { // the first while it waits
		assert.Regexp(t, what+`.* made_at=\S*hazard_slow_dns.go:\d+ .* late="PUSH socket made at \S*hazard_slow_dns.go:\d+ .* host=collector.metrics`, r.Stderr)
	}
}

// The guarded program says what it lost.
func TestDroppedContextIsReported(t *testing.T) {
	t.Parallel()
	r, err := runChild(t.Context(), droppedContext, guarded, enough)
	require.NoError(t, err)
	assert.Regexp(t, `zmqsafe: context was leaked without Close; closing it made_at=\S*hazard_dropped_context.go:\d+`, r.Stderr)
}

// A guarded program is the raw one with another import, except for a few lines
// that are seen at a glance. It may even be the same function, which both
// fields of the hazard call.
func TestGuardedIsRawButForTheImport(t *testing.T) {
	field := regexp.MustCompile(`(?m)^\t(Raw|Guarded): .*\n`)
	body := regexp.MustCompile(`(?ms)^func \w+(Raw|Guarded)\(.*?\) error \{\n.*?^\}`)
	sameNames := strings.NewReplacer("zmqsafe.", "zmq4.", "Guarded:", "Raw:    ", "Guarded", "Raw", "(guarded)", "(raw)")
	for _, h := range hazards {
		t.Run(h.ID, func(t *testing.T) {
			source, err := os.ReadFile("hazard_" + strings.ReplaceAll(h.ID, "-", "_") + ".go")
			require.NoError(t, err)
			fields := field.FindAllStringSubmatch(string(source), -1)
			require.Len(t, fields, 2)
			require.Equal(t, "Raw", fields[0][1])
			raw, guarded := fields[0][0], fields[1][0]
			if bodies := body.FindAllStringSubmatch(string(source), -1); bodies != nil {
				require.Len(t, bodies, 2)
				require.Equal(t, "Raw", bodies[0][1])
				raw, guarded = raw+bodies[0][0], guarded+bodies[1][0]
			}
			added := linesAdded(raw, sameNames.Replace(guarded))
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
