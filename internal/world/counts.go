package world

import (
	"maps"
	"math/bits"
	"time"
)

// Counts is what three parties say about one run of a plan.
type Counts struct {
	Sent     map[int]Sent     // by the worker that sent
	Received map[int]Received // by the worker that received
	Said     map[int]Said     // by socket
	Ended    []Ended          // of each of Plan.Ends, in that order
	Faults   []string         // what a worker has seen that must never be
}

// Sent is what the sends of one worker returned.
type Sent struct {
	Accepted int  // messages 0 to Accepted-1
	Others   int  // probes and ghosts that were accepted, too
	Done     bool // the worker has ended
}

// Received is what one worker has received, by the stream that sent it.
type Received struct {
	Streams map[int]*Stream
	Probes  map[int]int // how many probes
}

// Stream is what one worker has received of one stream.
type Stream struct {
	Seen  Set
	Count int // messages, those included that came twice
	Last  int // the highest number
}

// Said is what the guard's report says about a socket.
type Said struct {
	Reported           bool     // it is in the list of sockets
	Accepted, Received uint64   // whole messages
	MayLose            uint64   // how many messages may be lost by its close
	Detached           uint64   // and by detaching it
	Unread             uint64   // how many had arrived and were thrown away
	UnreadMore         bool     // there may have been more
	Wrong              []string // what contradicts itself in the report

	// Lingered is how long libzmq had the socket, measured by the program: from
	// before the call that closed it until after the one that closed its
	// context.
	Lingered time.Duration
}

// add adds what another side has counted.
func (c *Counts) add(other Counts) {
	maps.Copy(c.Sent, other.Sent)
	maps.Copy(c.Received, other.Received)
	maps.Copy(c.Said, other.Said)
	c.Faults = append(c.Faults, other.Faults...)
}

// received is how many messages each worker has received.
func (c *Counts) received() map[int]int {
	all := map[int]int{}
	for w, got := range c.Received {
		for _, s := range got.Streams {
			all[w] += s.Count
		}
	}
	return all
}

func newCounts() Counts {
	return Counts{Sent: map[int]Sent{}, Received: map[int]Received{}, Said: map[int]Said{}}
}

// Total returns how many messages were accepted.
func (c *Counts) Total() (n int) {
	for _, s := range c.Sent {
		n += s.Accepted
	}
	return n
}

// Ended is how the close of a context went.
type Ended struct {
	Took time.Duration
	Err  string // that the call returned
}

// Set is a set of small numbers. A nil Set is empty.
type Set []byte

// Add reports whether n is new.
func (s *Set) Add(n int) bool {
	for n/8 >= len(*s) {
		*s = append(*s, 0)
	}
	b := &(*s)[n/8]
	had := *b&(1<<(n%8)) != 0
	*b |= 1 << (n % 8)
	return !had
}

// Len is how many numbers are in the set.
func (s Set) Len() (n int) {
	for _, b := range s {
		n += bits.OnesCount8(b)
	}
	return n
}

// Has reports whether n is in the set.
func (s Set) Has(n int) bool { return n/8 < len(s) && s[n/8]&(1<<(n%8)) != 0 }

// add adds all numbers of another set, and returns how many were there before.
func (s *Set) add(other Set) (twice int) {
	for len(*s) < len(other) {
		*s = append(*s, 0)
	}
	for i, b := range other {
		twice += bits.OnesCount8((*s)[i] & b)
		(*s)[i] |= b
	}
	return twice
}
