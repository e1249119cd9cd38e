package timeline

import (
	"encoding/json"
	"errors"
	"io"
	"time"
)

// Event is one line of what a process records. Contexts and sockets have numbers, from 1, in the order in which they
// were first seen.
type Event struct {
	At      time.Time `json:"at"`
	Context int       `json:"context,omitempty"` // which context this is about
	Opened  *Opened   `json:"opened,omitempty"`  // the context is new
	Left    bool      `json:"left,omitempty"`    // the context isn't listed any more
	Number  int       `json:"number,omitempty"`  // which socket this is about
	Socket  *Socket   `json:"socket,omitempty"`  // the socket is new, or has changed
	Waiting string    `json:"waiting,omitempty"` // with Socket: which calls are blocked on it now
	Missing []int     `json:"missing,omitempty"` // sockets that aren't listed any more
	Report  *Report   `json:"report,omitempty"`  // of the context, or of one that isn't known if Context is 0
}

// Opened describes a context that is seen for the first time.
type Opened struct {
	Site    string    `json:"site"`
	Created time.Time `json:"created"`
}

// Report is what zmqsafe reports about a close, so far.
type Report struct {
	Site     string    `json:"site"`
	Began    time.Time `json:"began"`
	Deadline time.Time `json:"deadline,omitzero"`
	Ended    time.Time `json:"ended"`
	Done     bool      `json:"done"`
	Error    string    `json:"error,omitempty"`
	Steps    []Step    `json:"steps,omitempty"`
	Sockets  []Socket  `json:"sockets,omitempty"`
}

// readEvents reads to the end of r, or to a line that was cut off when the process died.
func readEvents(r io.Reader) ([]Event, error) {
	var events []Event
	for lines := json.NewDecoder(r); ; {
		var e Event
		err := lines.Decode(&e)
		switch {
		case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF):
			return events, nil
		case err != nil:
			return nil, err
		}
		events = append(events, e)
	}
}
