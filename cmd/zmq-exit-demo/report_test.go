package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/cmd/internal/cli"
)

var addFdAbort = result{Outcome: abort, Abort: "Bad file descriptor (src/epoll.cpp:100)"}

// sampleReport has two runs of two hazards, with the given results for the
// first.
func sampleReport(sweepRaw, sweepGuarded []result) *report {
	rep := newReport(settings{
		Hazards:  []hazard{fdSweep, exitAfterSend},
		Modes:    []mode{raw, guarded},
		Runs:     2,
		Deadline: 10 * time.Second,
	}, "4.3.4")
	for _, r := range sweepRaw {
		rep.add(attempt{fdSweep, raw}, r)
	}
	for _, r := range sweepGuarded {
		rep.add(attempt{fdSweep, guarded}, r)
	}
	for range 2 {
		rep.add(attempt{exitAfterSend, raw}, result{Outcome: lost, Lost: 99, Of: 100})
		rep.add(attempt{exitAfterSend, guarded}, result{Outcome: clean})
	}
	return rep
}

func TestTable(t *testing.T) {
	rep := sampleReport([]result{addFdAbort, {Outcome: hang}}, []result{{Outcome: clean}})
	rep.judge(false)

	var plain bytes.Buffer
	rep.print(&plain, false)
	assert.Equal(t, strings.TrimPrefix(`
hazard            raw                            guarded   first abort message of raw
fd-sweep          abort 1, hang 1                clean 1   Bad file descriptor (src/epoll.cpp:100)
exit-after-send   lost 2 (198 of 200 messages)   clean 2   

Not shown: with libzmq 4.3.4, 4 of 4 raw runs ended badly (fd-sweep aborted in epoll_t::add_fd in 1 of 2), and 3 of 3 guarded runs ended cleanly.
`, "\n"), plain.String())

	var coloured bytes.Buffer
	rep.print(&coloured, true)
	assert.Contains(t, coloured.String(), "\x1b[32mclean 1\x1b[0m")
	assert.Contains(t, coloured.String(), "\x1b[31mabort 1, hang 1\x1b[0m")
	codes := regexp.MustCompile(`\x1b\[\d+m`)
	assert.Equal(t, plain.String(), codes.ReplaceAllString(coloured.String(), ""))
}

func TestJudge(t *testing.T) {
	ok := result{Outcome: clean}
	elsewhere := result{Outcome: abort, Abort: "Bad file descriptor (src/epoll.cpp:113)"}
	repeat := func(r result, n int) (rs []result) {
		for range n {
			rs = append(rs, r)
		}
		return rs
	}
	tests := map[string]struct {
		raw, guarded []result
		interrupted  bool
		shown        bool
		start        string
	}{
		"as it should be":             {repeat(addFdAbort, 2), repeat(ok, 2), false, true, "With libzmq 4.3.4, 4 of 4 raw runs ended badly (fd-sweep aborted in epoll_t::add_fd in 2 of 2), and 4 of 4 guarded runs ended cleanly."},
		"1 of 20 aborts elsewhere":    {append(repeat(addFdAbort, 19), elsewhere), repeat(ok, 2), false, true, "With "},
		"2 of 20 abort elsewhere":     {append(repeat(addFdAbort, 18), elsewhere, elsewhere), repeat(ok, 2), false, false, "Not shown: with "},
		"1 of 2 aborts elsewhere":     {[]result{addFdAbort, elsewhere}, repeat(ok, 2), false, false, "Not shown: with "},
		"raw was clean":               {repeat(ok, 2), repeat(ok, 2), false, false, "Not shown: with "},
		"guarded was not clean, once": {repeat(addFdAbort, 2), []result{ok, {Outcome: hang}}, false, false, "Not shown: with "},
		"interrupted":                 {repeat(addFdAbort, 2), repeat(ok, 1), true, false, "Interrupted: with "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			rep := sampleReport(test.raw, test.guarded)
			rep.judge(test.interrupted)
			assert.Equal(t, test.shown, rep.Shown)
			assert.Equal(t, test.interrupted, rep.Interrupted)
			assert.True(t, strings.HasPrefix(rep.Summary, test.start), rep.Summary)
		})
	}
}

func TestJudgeOnlyWhatWasAskedFor(t *testing.T) {
	one := func(h hazard, m mode, r result) *report {
		rep := newReport(settings{Hazards: []hazard{h}, Modes: []mode{m}, Runs: 1}, "4.3.4")
		rep.add(attempt{h, m}, r)
		rep.judge(false)
		return rep
	}
	rep := one(fdSweep, guarded, result{Outcome: clean})
	assert.True(t, rep.Shown)
	assert.Equal(t, "With libzmq 4.3.4, 1 of 1 guarded runs ended cleanly.", rep.Summary)

	rep = one(socketLimit, raw, result{Outcome: clean})
	assert.True(t, rep.Shown)
	assert.Equal(t, "With libzmq 4.3.4, 0 of 1 raw runs ended badly.", rep.Summary)

	rep = newReport(settings{Hazards: []hazard{fdSweep}, Modes: []mode{raw}, Runs: 1}, "4.3.4")
	rep.judge(true)
	assert.Equal(t, "Interrupted: with libzmq 4.3.4, no run ended.", rep.Summary)
}

func TestSkippedRunsAreNotJudged(t *testing.T) {
	rep := newReport(settings{Hazards: []hazard{slowDNS, socketLimit}, Modes: []mode{raw, guarded}, Runs: 1}, "4.3.4")
	no := result{Outcome: skipped, Reason: "it needs this"}
	rep.add(attempt{slowDNS, raw}, no)
	rep.add(attempt{slowDNS, guarded}, no)
	rep.add(attempt{socketLimit, raw}, result{Outcome: abort})
	rep.add(attempt{socketLimit, guarded}, result{Outcome: clean})
	rep.judge(false)
	assert.True(t, rep.Shown)

	var out bytes.Buffer
	rep.print(&out, false)
	assert.Equal(t, strings.TrimPrefix(`
hazard         raw         guarded     first abort message of raw
slow-dns       skipped 1   skipped 1   
socket-limit   abort 1     clean 1     

SKIPPED slow-dns: it needs this
With libzmq 4.3.4, 1 of 1 raw runs ended badly, and 1 of 1 guarded runs ended cleanly. 2 runs were skipped.
`, "\n"), out.String())

	out.Reset()
	rep.print(&out, true)
	assert.Contains(t, out.String(), "\x1b[00mskipped 1\x1b[0m", "neither good nor bad")

	out.Reset()
	p := progress{w: &out}
	p.ended(attempt{slowDNS, guarded}, no)
	assert.Empty(t, out.String(), "the table says it, once")
}

func TestReportJSON(t *testing.T) {
	rep := sampleReport([]result{addFdAbort, addFdAbort}, []result{{Outcome: clean}, {Outcome: clean}})
	rep.judge(false)
	var out bytes.Buffer
	require.NoError(t, cli.WriteJSON(&out, rep))

	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	assert.Equal(t, map[string]any{
		"libzmq": "4.3.4", "runs": 2.0, "deadline": "10s", "interrupted": false, "shown": true,
		"summary": rep.Summary,
		"hazards": []any{
			map[string]any{
				"id": "fd-sweep",
				"raw": map[string]any{
					"runs": 2.0, "outcomes": map[string]any{"abort": 2.0}, "lost_messages": 0.0, "of_messages": 0.0,
					"first_abort": "Bad file descriptor (src/epoll.cpp:100)", "aborts_in_add_fd": 2.0,
				},
				"guarded": map[string]any{"runs": 2.0, "outcomes": map[string]any{"clean": 2.0}, "lost_messages": 0.0, "of_messages": 0.0, "aborts_in_add_fd": 0.0},
			},
			map[string]any{
				"id":      "exit-after-send",
				"raw":     map[string]any{"runs": 2.0, "outcomes": map[string]any{"lost": 2.0}, "lost_messages": 198.0, "of_messages": 200.0, "aborts_in_add_fd": 0.0},
				"guarded": map[string]any{"runs": 2.0, "outcomes": map[string]any{"clean": 2.0}, "lost_messages": 0.0, "of_messages": 0.0, "aborts_in_add_fd": 0.0},
			},
		},
	}, got)
}
