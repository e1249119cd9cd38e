//go:build !zmqsafe_lockorder

package lockorder

import "sync"

// Mutex is a sync.Mutex whose place in the order is L.
type Mutex[L any] = sync.Mutex
