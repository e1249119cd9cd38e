//go:build !zmqsafe_lockorder

package waker

import "sync"

type mutex = sync.Mutex
