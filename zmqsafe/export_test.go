package zmqsafe

import "testing"

// NewDefault is newDefault for tests outside the package.
func NewDefault(t testing.TB) { newDefault(t) }
