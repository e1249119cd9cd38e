package conformance

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ownDefault stands in for zmqsafe's usage_default_test.go.
const ownDefault = `package zmqsafe_test

import "testing"

func ownDefault(*testing.T) {}
`

// TestUsageOnRaw runs zmqsafe's usage tests on raw, to see that they use it as it
// is. Each has a process of its own, since each has the default context.
func TestUsageOnRaw(t *testing.T) {
	files := readTests(t, "../../usage*_test.go", zmqsafePath, rawPath)
	files["usage_default_test.go"] = []byte(ownDefault)
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
