// Package lockorder states in which order the locks of zmqsafe are taken. With
// the build tag zmqsafe_lockorder a [Mutex] panics if it is taken out of order:
// see `make lockorder`. Without the tag it is a sync.Mutex.
//
// The types below are the order, outermost first; a type's length is its place.
// A goroutine that holds a lock takes only locks further down. It may hold
// several guards, as a proxy does, and locks them in the order of their numbers
// (guard.Guard.Number).
//
// All other locks are leaves: whoever holds one takes no other. The sync.Once
// of the default context is outermost, and takes [Contexts] only.
package lockorder

type (
	ReportFile    [1]int  // of the process: the file that closing reports go to
	Reactor       [2]int  // of a Reactor: its handlers, which it enters into its Poller
	Poller        [3]int  // of a Poller: its sockets, which it checks one by one
	Authenticator [4]int  // of AuthStart and AuthStop: the socket that they open and close
	Guard         [5]int  // of a socket: what libzmq has of it
	Inproc        [6]int  // of a context: its inproc names, and the calls of libzmq that bind and connect them
	Context       [7]int  // of a context: its state, and which sockets it has
	Waker         [8]int  // of a context: the descriptors for which it wakes guards
	Watchers      [9]int  // of a socket: the watches that it puts into queues
	Queue         [10]int // of a Poller: the watches that it will look at
	Contexts      [11]int // of the process: all contexts
)
