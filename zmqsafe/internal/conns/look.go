package conns

import (
	"strings"
	"syscall"
)

// State says how far libzmq is.
type State uint8

const (
	Unknown State = iota // the kernel doesn't say enough
	Busy                 // a thread has something to do
	Waiting              // a peer takes no more
	Done                 // nothing is left to do
)

// Look is what the threads have at an endpoint at a time.
type Look struct {
	// State is Done if the kernel has all that was sent to the connections
	// before the look. That isn't sure for those that were made rather than
	// accepted: they may have messages while they can't be written to yet.
	State State

	threads   *Threads
	at        endpoint
	conns     []file
	listeners []file
	listening []*thread // these have the listeners
}

// Listens reports whether something accepts connections.
func (l Look) Listens() bool { return len(l.listeners) > 0 }

// Len is the number of connections.
func (l Look) Len() int { return len(l.conns) }

// Accepted looks at the connections that were accepted at an endpoint. State is
// Unknown if nothing listens there, or the transport is neither tcp nor ipc.
func (t *Threads) Accepted(at string) Look {
	is, ok := matcher(at)
	if !ok {
		return Look{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.look(endpoint{true, is})
	if !l.Listens() {
		l.State = Unknown
	}
	t.own(l.listening)
	return l
}

// Connected looks at the connections to the peer at an endpoint; State is as
// for [Threads.Accepted]. If the endpoint names a host rather than an address,
// those to any host at that port are among them.
func (t *Threads) Connected(at string) Look {
	if _, to, is := strings.Cut(at, ";"); is && strings.HasPrefix(at, "tcp://") { // behind a source address
		at = "tcp://" + to
	}
	is, ok := matcher(at)
	if !ok {
		return Look{}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.look(endpoint{false, is})
}

// look looks at an endpoint. The caller holds mu.
//
// A connection watches for output (EPOLLOUT) from the moment that its thread
// hears of a message until that has found the queue empty
// (stream_engine_base.cpp, restart_output and out_event). The thread hears of
// it through its mailbox. So if the mailbox is empty, and after that the thread
// waits for events, and after that no connection watches for output, then
// nothing is left. A connection that no thread watches is new or dead, and has
// no queue.
func (t *Threads) look(at endpoint) Look {
	l := Look{State: Done, threads: t, at: at}
	threads := t.all()
	if len(threads) == 0 {
		l.State = Unknown
	}
	for _, thread := range threads {
		state, conns, listeners := thread.state(), len(l.conns), len(l.listeners)
		watches, err := watchesOf(thread.epoll)
		if err != nil { // no descriptor is left to read it
			l.State = Unknown
		}
		for _, w := range watches {
			switch f, is := at.find(w.fd); is {
			case connection:
				l.conns = append(l.conns, f)
				if w.events&syscall.EPOLLOUT != 0 {
					state = min(state, Waiting)
				}
			case listener:
				l.listeners = append(l.listeners, f)
			}
		}
		if len(l.listeners) > listeners {
			l.listening = append(l.listening, thread)
		}
		if len(l.listeners) > listeners || len(l.conns) > conns {
			l.State = min(l.State, state)
		}
	}
	return l
}

// Unbound looks whether libzmq has carried out a zmq_unbind since the look. It
// is Done if every connection that was ever accepted there is closed, or the
// commands that close it have reached the socket.
//
// The thread of the listener first closes that, and then tells the threads of
// the connections, also of those that it has accepted last
// (stream_listener_base.cpp, process_term; own.cpp, process_own). They tell the
// socket (session_base.cpp, process_term). A connection is closed when the
// socket has answered. One that isn't watched then will hear of its end before
// it has a queue.
func (l Look) Unbound() State {
	if !l.Listens() {
		return Unknown
	}
	l.threads.mu.Lock()
	defer l.threads.mu.Unlock()
	for _, listener := range l.listeners {
		if !listener.closed() {
			return Busy
		}
	}
	for _, thread := range l.listening {
		if thread.state() == Busy {
			return Busy
		}
	}
	if now := l.threads.look(l.at); now.State < Waiting {
		return now.State
	}
	return Done
}
