package zmqsafe

import (
	"sync"
	"time"
)

// timers are kept, since a wait with a time-out needs one for moments only.
var timers = sync.Pool{New: func() any { return time.NewTimer(time.Hour) }}

func startTimer(d time.Duration) *time.Timer {
	timer := timers.Get().(*time.Timer)
	timer.Reset(d)
	return timer
}

// stopTimer stops what startTimer returned, or nil.
func stopTimer(timer *time.Timer) {
	if timer != nil && timer.Stop() { // or it may have fired
		timers.Put(timer)
	}
}
