package explain

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func TestHazards(t *testing.T) {
	assert.GreaterOrEqual(t, len(Hazards), 16)
	for id, h := range Hazards {
		assert.NotEmpty(t, h.Outcomes, id)
		assert.NotContains(t, causes, id)
	}
	for id, h := range causes {
		assert.Empty(t, h.Outcomes, id)
	}
	all := maps.Clone(Hazards)
	maps.Copy(all, causes)
	for id, h := range all {
		assert.Equal(t, id, h.ID)
		assert.NotEmpty(t, h.Title, id)
		assert.True(t, strings.HasSuffix(h.Cause, "."), id)
		assert.True(t, strings.HasSuffix(h.Remedy, "."), id)
		assert.NotContains(t, h.Cause+h.Remedy, "  ", "folded by a single blank: %s", id)
		assert.True(t, strings.HasPrefix(h.Explain, "In libzmq\n  1. "), id)
		assert.Contains(t, h.Explain, "\nWhat zmqsafe does\n", id)
		assert.Contains(t, h.Explain, ".cpp", id)
		for line := range strings.Lines(h.Explain) {
			assert.LessOrEqual(t, len(line), 100, line)
		}
	}
}
