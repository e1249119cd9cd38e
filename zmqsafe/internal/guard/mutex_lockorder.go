//go:build zmqsafe_lockorder

package guard

import "github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"

type (
	guardMutex    = lockorder.Mutex[lockorder.Guard]
	watchersMutex = lockorder.Mutex[lockorder.Watchers]
	queueMutex    = lockorder.Mutex[lockorder.Queue]
)
