// Package timeline draws how a program closed its ZeroMQ contexts: a bar for each socket, with the steps of the close and
// its deadline.
//
// The program's processes record what they see as events, one line each, so that what was recorded is there however they
// end (event.go). [ReadDir] puts the events together (read.go, match.go). A socket's phases follow from that (phase.go), and
// so do the rows (rows.go, cover.go), the axis (axis.go), and what is said in words (words.go). [Recording.WriteText] draws
// for a terminal (text….go), [Recording.WriteSVG] draws a picture (svg….go).
package timeline

import "time"

// Recording is what was recorded of one run of a program.
type Recording struct {
	Hazard   string    `json:"hazard"`
	Title    string    `json:"title"`
	Libzmq   string    `json:"libzmq"`
	Outcome  string    `json:"outcome"` // how the program ended, such as "clean"
	Contexts []Context `json:"contexts"`
}

// Context is a context from its creation to its end, or as far as it was recorded.
type Context struct {
	Process  int       `json:"process"` // from 1, in the order in which the program's processes started
	Site     string    `json:"context"` // where the program made it, "dir/file.go:42"
	Created  time.Time `json:"created"`
	Began    time.Time `json:"began,omitzero"`    // of the close; zero: it never was closed
	Deadline time.Time `json:"deadline,omitzero"` // of the close; zero: none
	Ended    time.Time `json:"ended"`             // of the close, or of what was recorded if it isn't Done
	Done     bool      `json:"done"`              // zmq_ctx_term has returned
	Error    string    `json:"error,omitempty"`   // what the close returned
	Steps    []Step    `json:"steps,omitempty"`   // of the close
	Sockets  []Socket  `json:"sockets,omitempty"` // oldest first
}

// Step is one step of a close. The last one may not have ended.
type Step struct {
	Name  string    `json:"name"`
	Began time.Time `json:"began"`
	Ended time.Time `json:"ended"`
}

// Socket is a socket from its creation to its end. Times that have not come are zero.
type Socket struct {
	Type      string    `json:"type"`
	Site      string    `json:"made_at"` // "dir/file.go:42"
	Endpoints []string  `json:"endpoints,omitempty"`
	Created   time.Time `json:"created"`
	Linger    string    `json:"linger"`            // its LINGER
	Lingers   string    `json:"lingers,omitempty"` // LINGER at zmq_close
	Accepted  uint64    `json:"accepted"`          // messages, as they were last counted
	Received  uint64    `json:"received"`
	Blocked   []Blocked `json:"blocked,omitempty"`
	Woke      string    `json:"woke,omitempty"`    // the calls that its end woke, "1 receive"
	Woken     time.Time `json:"woken,omitzero"`    // when calls on it were ended
	Closed    time.Time `json:"closed,omitzero"`   // when zmq_close was called
	About     bool      `json:"about,omitempty"`   // Closed was noticed from outside, a little later
	Gone      time.Time `json:"gone,omitzero"`     // when libzmq had no more of it
	Outcome   string    `json:"outcome,omitempty"` // after zmq_close: Gone, RanOut or Holding
}

// Blocked is a time in which calls were blocked on a socket.
type Blocked struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to,omitzero"`
	Calls string    `json:"calls"` // "1 receive, 2 polls"
}

// What becomes of a socket after its zmq_close, in zmqsafe's words.
const (
	Gone    = "gone"
	RanOut  = "ran out"
	Holding = "holding"
)
