package zmqsafe

import "time"

// closeGrace is how long a Close with a very long linger waits for the context's.
const closeGrace = time.Second

// maxGraces bounds how many sockets of a context wait at a time. They count
// towards libzmq's limit of sockets.
const maxGraces = 16

// putOff reports whether zmq_close has to wait, and sees to it that it comes. The
// caller holds mu.
//
// It waits while an inproc connect is pending (see inprocNames). And it waits for
// closeGrace when LINGER is longer than the close timeout: after zmq_close the
// linger can't be cut any more, and zmq_ctx_term would have to be abandoned. Most
// programs close their sockets and the context in one go, so the context gets the
// chance to do it (invariant 4). That is for sockets that only send: others would
// go on receiving messages that nobody reads.
func (s *socketState) putOff(by closer) bool {
	if s.c.inproc.putOff(s) {
		return true
	}
	sendsOnly := s.typ == PUSH || s.typ == PUB || s.typ == XPUB
	if by == afterGrace || !sendsOnly || !outlasts(s.linger, s.c.closeTimeout) {
		return false
	}
	if s.grace == nil {
		if !s.c.beginGrace() {
			return false
		}
		s.grace = time.AfterFunc(closeGrace, func() {
			s.c.endGrace()
			_ = s.close(afterGrace)
		})
	}
	return true
}

func (c *contextState) beginGrace() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.graces == maxGraces {
		return false
	}
	c.graces++
	return true
}

func (c *contextState) endGrace() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.graces--
}
