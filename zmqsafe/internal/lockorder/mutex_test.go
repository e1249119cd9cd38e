//go:build !zmqsafe_lockorder

package lockorder

import (
	"sync"
	"testing"
)

// Without the tag nothing can cost more than with a sync.Mutex. This compiles
// only if the types are identical.
func TestMutexIsASyncMutex(*testing.T) { var _ *sync.Mutex = new(Mutex[Guard]) }
