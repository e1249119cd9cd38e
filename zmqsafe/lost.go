package zmqsafe

import (
	"context"
	"fmt"
)

// What runs when the garbage collector finds a handle that was never closed
// (invariant 8). Both only start the work: the runtime has one goroutine for all
// cleanups.

func (s *socketState) lost() {
	go func() {
		if s.lock() != nil {
			return // closed by its context
		}
		info := s.infoLocked()
		s.unlock(0)
		s.c.logger.Warn(fmt.Sprintf("zmqsafe: %v was lost without Close; closing it", info))
		s.mark(ErrorSocketClosed)
		_ = s.close(byProgram)
	}()
}

func (c *contextState) lost() {
	go func() {
		c.logger.Warn(fmt.Sprintf("zmqsafe: context made at %v was lost without Close; closing it", c.made))
		bound, cancel := context.WithTimeout(context.Background(), c.closeTimeout)
		defer cancel()
		_ = c.shutdown(bound, false) // an overrun is reported there
	}()
}
