package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestUsageOnRaw runs the tests of package usage on raw, to see that they use
// it as it is. Each has a process of its own.
func TestUsageOnRaw(t *testing.T) {
	files := readTests(t, "usage/*_test.go", zmqsafePath, rawPath)
	delete(files, "main_test.go") // goleak
	usage := buildFrom(t, files)
	names, err := usage.list(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := usage.runWith(t.Context(), deadline, "-test.run=^"+name+"$")
			if r.verdict(name) == skipped {
				t.Log("raw can't do it: see needsGuard in the test")
				return
			}
			assert.NoError(t, r.err, r.output)
			assert.Equal(t, passed, r.verdict(name), r.output)
		})
	}
}
