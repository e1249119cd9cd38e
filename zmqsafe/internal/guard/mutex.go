//go:build !zmqsafe_lockorder

package guard

import "sync"

type (
	guardMutex struct {
		sync.Mutex
		Number uint64
	}
	watchersMutex = sync.Mutex
	queueMutex    = sync.Mutex
)
