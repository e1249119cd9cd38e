package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := progress{w: &out, total: 3}
	p.ended(attempt{fdSweep, raw}, addFdAbort)
	p.ended(attempt{fdSweep, guarded}, result{Outcome: clean})
	assert.Empty(t, out.String(), "nothing to say, and no terminal")
	p.ended(attempt{fdSweep, guarded}, result{Outcome: hang, Stderr: "SIGQUIT: quit\ngoroutine 1\n"})
	assert.Equal(t, "guarded fd-sweep: hang\n    SIGQUIT: quit\n    goroutine 1\n", out.String())

	out.Reset()
	p = progress{w: &out, total: 3, live: true}
	p.ended(attempt{fdSweep, raw}, addFdAbort)
	assert.Equal(t, "\r\x1b[K1 of 3 runs; the last was raw fd-sweep: abort", out.String())
}
