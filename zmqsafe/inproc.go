package zmqsafe

import "time"

// inprocNames knows which inproc endpoints were connected and may not have been
// bound yet.
//
// zmq_ctx_term binds such names itself, to a PAIR socket of its own for each,
// and aborts the process when the context is at its limit of sockets (ctx.cpp,
// ctx_t::terminate). So the context keeps one spare PAIR from the first inproc
// connect on, and binds it to all these names before it terminates.
//
// Its fields are guarded by contextState.mu.
type inprocNames struct {
	pending map[string]struct{} // all that are pending, and maybe some that aren't
	spare   *socketState
}

// setMaxSockets leaves room for the spare.
func (c *contextState) setMaxSockets(n int) error { return c.raw.SetMaxSockets(n + 1) }

// ensureSpare is called before an inproc connect.
func (c *contextState) ensureSpare() (err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inproc.spare == nil {
		c.inproc.spare, err = c.newSocketLocked(PAIR, site{}, true)
	}
	return err
}

// attached notes an endpoint after libzmq has taken it.
func (c *contextState) attached(e endpoint) {
	if !isInproc(e.given) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.bound {
		delete(c.inproc.pending, e.given)
		return
	}
	if c.inproc.pending == nil {
		c.inproc.pending = make(map[string]struct{})
	}
	c.inproc.pending[e.given] = struct{}{}
}

// detaching notes that a bound endpoint is going, before libzmq lets go of it:
// what has connected to it until now is not pending.
func (c *contextState) detaching(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.inproc.pending, name)
}

// closeInproc resolves what is pending and closes the spare.
func (c *contextState) closeInproc() {
	c.mu.Lock()
	spare, pending := c.inproc.spare, c.inproc.pending
	c.mu.Unlock()
	if spare == nil {
		return
	}
	for name := range pending {
		_ = spare.raw.Bind(name) // if it is taken, nothing is pending there
	}
	spare.mark(errTerm)
	_ = spare.close(time.Now(), true) // a deadline that has come: without linger
}
