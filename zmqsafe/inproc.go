package zmqsafe

import "sync"

// inprocNames knows which inproc endpoints are bound, and which are connected
// but pending, since nobody has bound them yet. Two dangers of libzmq 4.3 hang on
// those:
//
//   - zmq_ctx_term binds each pending name to a socket of its own, and aborts
//     the process when the context is at its limit of sockets (ctx.cpp,
//     ctx_t::terminate). So names are bound to a spare socket before it.
//   - Binding a pending name works on the pipe of the connected socket from the
//     binder's thread (ctx.cpp, ctx_t::connect_inproc_sockets). If that socket
//     is being closed, libzmq's reaper works on the same pipe, and the process
//     crashes. So zmq_close of a pending socket is put off until the name is
//     bound, by the program or by the spare. What it has sent is delivered then.
//
// mu makes a call into libzmq and its entry here one step. It is taken after a
// guard's mu and before contextState.mu.
type inprocNames struct {
	mu      sync.Mutex
	bound   map[string]bool                      // guarded by mu
	pending map[string]map[*socketState]struct{} // guarded by mu; who waits for a name
	spare   *socketState                         // guarded by mu; a ROUTER: takes any number of peers, and may be at zapEndpoint
}

// inprocUse is a socket's part in inprocNames, guarded by inprocNames.mu.
type inprocUse struct {
	pending int  // for how many names it waits
	putOff  bool // its close waits for them
}

// connect runs zmq_connect of s to name.
func (n *inprocNames) connect(s *socketState, name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spare == nil {
		spare, err := s.c.newInternal(ROUTER, site{})
		if err != nil {
			return err
		}
		n.spare = spare
	}
	if err := s.raw.Connect(name); err != nil {
		return err
	}
	if n.bound[name] {
		return nil
	}
	if n.pending == nil {
		n.pending = make(map[string]map[*socketState]struct{})
	}
	waiting := n.pending[name]
	if waiting == nil {
		waiting = make(map[*socketState]struct{})
		n.pending[name] = waiting
	}
	if _, again := waiting[s]; !again {
		waiting[s] = struct{}{}
		s.inproc.pending++
	}
	return nil
}

// bind runs zmq_bind of s to name, and the closes that were put off until then.
func (n *inprocNames) bind(s *socketState, name string) error {
	n.mu.Lock()
	if err := s.raw.Bind(name); err != nil {
		n.mu.Unlock()
		return err
	}
	if n.bound == nil {
		n.bound = make(map[string]bool)
	}
	n.bound[name] = true
	due := n.resolvedLocked(name)
	n.mu.Unlock()
	for _, s := range due {
		_ = s.close(byProgram)
	}
	return nil
}

// resolved notes that libzmq itself has bound name.
func (n *inprocNames) resolved(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.resolvedLocked(name)
}

func (n *inprocNames) resolvedLocked(name string) (due []*socketState) {
	for s := range n.pending[name] {
		if s.inproc.pending--; s.inproc.pending == 0 && s.inproc.putOff {
			due = append(due, s)
		}
	}
	delete(n.pending, name)
	return due
}

// detach runs zmq_unbind or zmq_disconnect of s from name.
func (n *inprocNames) detach(s *socketState, name string, bound bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, pending := n.pending[name][s]
	if pending && !bound && (s.typ == ROUTER || s.typ == REP) {
		// libzmq would abort the process once the name is bound: it then wants to
		// send a routing id into the pipe that was ended (pipe.cpp, send_routing_id).
		return &usageError{"nobody has bound the name yet, and before that a " + s.typ.String() + " can't be disconnected", ENOTCONN}
	}
	if err := s.raw.Disconnect(name); err != nil { // the same call in libzmq as zmq_unbind
		return err
	}
	if bound {
		delete(n.bound, name)
		return nil
	}
	// The pipe's end is under way in the mailbox of s. Work that off while nobody
	// can bind the name.
	_, err := s.raw.GetEvents()
	return err
}

// putOff reports whether zmq_close of s has to wait, and sees to it that bind
// does it when the time has come.
func (n *inprocNames) putOff(s *socketState) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.inproc.putOff = s.inproc.pending > 0
	return s.inproc.putOff
}

// abandon binds name to the spare for a moment, so that nothing is pending there.
func (n *inprocNames) abandon(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spare.raw.Bind(name) == nil {
		_ = n.spare.raw.Unbind(name)
	}
	n.resolvedLocked(name)
}

// resolveAll binds all that is pending to the spare, for the end of the context:
// before any socket is closed, and when none can be connected any more.
func (n *inprocNames) resolveAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.pending {
		_ = n.spare.raw.Bind(name)
		n.resolvedLocked(name)
	}
}
