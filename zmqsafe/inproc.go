package zmqsafe

import "github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"

// inprocNames tracks which inproc endpoints are bound, and which are connected
// but pending because nobody has bound them yet. Pending names expose two
// faults of libzmq 4.3:
//
//   - zmq_ctx_term binds each pending name to a socket that it makes, and
//     aborts the process if the context is at its limit of sockets (ctx.cpp,
//     ctx_t::terminate). So pending names are first bound to a spare socket.
//   - Binding a pending name works on the pipe of the connected socket from the
//     binder's thread (ctx.cpp, ctx_t::connect_inproc_sockets). If that socket
//     is being closed, libzmq's reaper works on the same pipe, and the process
//     crashes. So zmq_close of a pending socket is deferred until the program
//     or the spare binds the name. The messages it has sent are delivered then.
//
// mu makes a call into libzmq and its entry here one step.
type inprocNames struct {
	mu      lockorder.Mutex[lockorder.Inproc]
	bound   map[string]bool                      // guarded by mu
	events  map[string]bool                      // guarded by mu; those of bound where monitors send
	pending map[string]map[*socketState]struct{} // guarded by mu; the sockets that wait for each name
	spare   *socketState                         // guarded by mu; a ROUTER, which takes any number of peers and may bind zapEndpoint
}

// connect calls zmq_connect for s.
func (n *inprocNames) connect(s *socketState, name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spare == nil {
		spare, err := s.c.newInternal(ROUTER, callSite{})
		if err != nil {
			return err
		}
		n.spare = spare
	}
	if err := s.raw.Connect(name); err != nil {
		return err
	}
	if n.bound[name] {
		s.readsEvents = s.readsEvents || n.events[name]
		return nil
	}
	waiting := n.pending[name]
	if waiting == nil {
		waiting = make(map[*socketState]struct{})
		n.pending[name] = waiting
	}
	if _, again := waiting[s]; !again {
		waiting[s] = struct{}{}
		s.pendingNames++
	}
	return nil
}

// bind calls zmq_bind for s. It returns the sockets whose close was deferred
// until then. The caller closes them after it has unlocked s: in the order of
// locks their guards may come before that of s.
func (n *inprocNames) bind(s *socketState, name string) (due []*socketState, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := s.raw.Bind(name); err != nil {
		return nil, err
	}
	n.bound[name] = true
	if s.internal {
		n.events[name] = true
		for reader := range n.pending[name] {
			reader.readsEvents = true
		}
	}
	return n.resolvedLocked(name), nil
}

func closeDue(due []*socketState) {
	for _, s := range due {
		_, _ = s.close(byProgram)
	}
}

// resolved records that libzmq itself has bound name.
func (n *inprocNames) resolved(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.resolvedLocked(name)
}

func (n *inprocNames) resolvedLocked(name string) (due []*socketState) {
	for s := range n.pending[name] {
		if s.pendingNames--; s.pendingNames == 0 && s.closeDeferred {
			due = append(due, s)
		}
	}
	delete(n.pending, name)
	return due
}

// detach calls zmq_unbind or zmq_disconnect for s.
func (n *inprocNames) detach(s *socketState, name string, bound bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, pending := n.pending[name][s]
	if pending && !bound && (s.typ == ROUTER || s.typ == REP) {
		// libzmq would abort the process once the name is bound: it would send
		// a routing id into the pipe that has ended (pipe.cpp,
		// send_routing_id).
		return &usageError{"nobody has bound the name yet; a " + s.typ.String() + " can disconnect only after that", ENOTCONN}
	}
	if err := s.raw.Disconnect(name); err != nil { // the same call in libzmq as zmq_unbind
		return err
	}
	if bound {
		delete(n.bound, name)
		delete(n.events, name)
		return nil
	}
	// The command that ends the pipe is in the mailbox of s. Process it while
	// nobody can bind the name.
	_, err := s.raw.GetEvents()
	return err
}

// reads reports whether s is connected to the address of a monitor.
func (n *inprocNames) reads(s *socketState) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return s.readsEvents
}

// deferClose reports whether zmq_close of s must wait, and then makes sure that
// bind returns s later.
func (n *inprocNames) deferClose(s *socketState) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.closeDeferred = s.pendingNames > 0
	return s.closeDeferred
}

// abandon binds name to the spare for a moment, so that nothing is pending
// there.
func (n *inprocNames) abandon(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spare.raw.Bind(name) == nil {
		_ = n.spare.raw.Unbind(name)
	}
	n.resolvedLocked(name)
}

// resolveAll binds all pending names to the spare. It is called when the
// context ends: before any socket is closed, and when none can connect any
// more.
func (n *inprocNames) resolveAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.pending {
		_ = n.spare.raw.Bind(name)
		n.resolvedLocked(name)
	}
}
