//go:build zmqsafe_lockorder

package waker

import "github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"

type mutex = lockorder.Mutex[lockorder.Waker]
