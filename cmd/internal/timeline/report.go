package timeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// version is that of the reports that Parse reads.
const version = 1

// Report is the closing report of a context, zmqsafe.Report, as far as it is
// drawn. Times that have not come are zero.
type Report struct {
	MadeAt   string    `json:"made_at"` // where the program made the context, "dir/file.go:42"
	Began    time.Time // of the close
	Deadline time.Time // of the close; zero: none
	Took     duration  // until the close was done, or until the report was made
	Done     bool      // zmq_ctx_term has returned
	Steps    []Step    // of the close
	Sockets  []Socket  // oldest first
	Detached []Detached
	Unclosed int // number of sockets that still had to be closed
	Unread   []Unread
}

// Step is one step of a close.
type Step struct {
	Name  string
	Began time.Time
	Took  duration
}

// Socket is a socket from its creation to its end.
type Socket struct {
	Type            string
	MadeAt          string `json:"made_at"`
	Endpoints       []string
	Created         time.Time
	Linger          string
	EffectiveLinger string `json:"effective_linger"` // LINGER at zmq_close
	Accepted        uint64 // messages
	Received        uint64
	Unread          uint64    // had arrived and were not received
	UnreadAtLeast   bool      `json:"unread_at_least"`
	Waiting         waiting   // the calls that its close ended
	Woken           time.Time // when they were ended
	Closed          time.Time // when zmq_close was called
	Released        time.Time // when libzmq was done with it
	Outcome         string    // gone, ranOut or holding
	Merged          int       // how many sockets this one stands for; 0: one
}

// Detached says what became of the messages of sockets that were detached from
// an endpoint, for one line of the program.
type Detached struct {
	At        string `json:"detached_at"`
	Type      string
	MadeAt    string   `json:"made_at"` // where the program made the socket
	Bound     bool     // by Unbind, not by Disconnect
	MayLose   uint64   `json:"may_lose"` // messages, at most
	Open      int      // number of calls after which libzmq may still be sending
	Endpoints []string // of the calls that may lose messages or are open
}

// Unread says what had arrived and was not received when sockets of one line
// were closed.
type Unread struct {
	Type     string
	MadeAt   string `json:"made_at"`
	Sockets  int
	Messages uint64
	AtLeast  bool `json:"at_least"`
}

type waiting struct{ Receives, Sends, Polls int }

// What becomes of a socket after its zmq_close.
const (
	gone    = "gone"
	ranOut  = "ran out"
	holding = "holding"
)

// outcomes are these, with their names in the legend.
var outcomes = [...]struct{ outcome, name string }{{gone, "gone"}, {ranOut, "LINGER ran out"}, {holding, "still held"}}

// duration is written as time.ParseDuration reads it.
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

const wanted = "expected closing reports of zmqsafe as JSON, as a program writes them with ZMQSAFE_REPORT=FILE in its environment"

// Parse reads reports as JSON, one after another. If there are several of one
// close, the last one applies.
func Parse(text []byte) ([]Report, error) {
	var reports []Report
	read := 0
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; read++ {
		var object json.RawMessage
		err := decoder.Decode(&object)
		if err == io.EOF && read > 0 {
			return reports, nil
		}
		var r Report
		switch {
		case err == io.EOF:
			err = errors.New("nothing there; " + wanted)
		case err != nil:
			err = fmt.Errorf("not JSON: %w; %s", err, wanted)
		default:
			r, err = parseReport(object)
		}
		if err != nil && read > 0 {
			err = fmt.Errorf("after %s: %w", plural(read, "report"), err)
		}
		if err != nil {
			return nil, err
		}
		same := func(other Report) bool { return other.MadeAt == r.MadeAt && other.Began.Equal(r.Began) }
		if i := slices.IndexFunc(reports, same); i >= 0 {
			reports[i] = r
		} else {
			reports = append(reports, r)
		}
	}
}

func parseReport(object []byte) (r Report, err error) {
	var head struct{ Version int }
	if err := json.Unmarshal(object, &head); err != nil || head.Version < 1 {
		return r, errors.New("not a closing report: it has no version; " + wanted)
	}
	if head.Version > version {
		return r, fmt.Errorf("this is report version %d; this zmq-exit reads version %d: install a newer one", head.Version, version)
	}
	if err := json.Unmarshal(object, &r); err != nil {
		return r, fmt.Errorf("not a closing report: %w; %s", err, wanted)
	}
	if r.Began.IsZero() {
		return r, errors.New("nothing to draw: this report was made before its context was closed")
	}
	for i := range r.Sockets {
		if s := &r.Sockets[i]; s.Created.IsZero() {
			s.Created = r.Began
		}
	}
	slices.SortStableFunc(r.Sockets, func(a, b Socket) int { return a.Created.Compare(b.Created) })
	return r, nil
}

// created returns the time of the first thing that the report knows.
func (r Report) created() time.Time {
	if len(r.Sockets) == 0 {
		return r.Began
	}
	return earlier(r.Began, r.Sockets[0].Created)
}

func (r Report) ended() time.Time { return r.Began.Add(time.Duration(max(r.Took, 0))) }

func (s Step) ended() time.Time { return s.Began.Add(time.Duration(s.Took)) }

// earlier returns the earlier one of two times. A zero time has not come.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
