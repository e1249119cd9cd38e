package zmqsafe

import (
	"encoding/json"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// jsonTime is left out where it is zero.
func jsonTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// jsonSocket is a SocketInfo as JSON.
type jsonSocket struct {
	Type      string         `json:"type"`
	Endpoints []string       `json:"endpoints,omitempty"`
	Site      string         `json:"made_at"`
	Created   time.Time      `json:"created"`
	Linger    linger.Policy  `json:"linger"`
	Accepted  uint64         `json:"accepted"`
	Received  uint64         `json:"received"`
	Waiting   map[string]int `json:"waiting,omitempty"`
}

func (i SocketInfo) json() jsonSocket {
	waiting := make(map[string]int)
	for what, n := range map[string]int{"receives": i.Waiting.Receives, "sends": i.Waiting.Sends, "polls": i.Waiting.Polls} {
		if n > 0 {
			waiting[what] = n
		}
	}
	return jsonSocket{i.Type.String(), i.Endpoints, i.Site, i.Created, i.Linger, i.Accepted, i.Received, waiting}
}

// MarshalJSON writes the type by name, the linger as package linger does, and what
// of waiting isn't 0: {"type", "endpoints", "made_at", "created", "linger",
// "accepted", "received", "waiting": {"receives", "sends", "polls"}}.
func (i SocketInfo) MarshalJSON() ([]byte, error) { return json.Marshal(i.json()) }

// MarshalJSON writes what SocketInfo does and what became of the socket: "lingers",
// "woken", "closed", "gone" and "outcome". Times that have not come are left out.
func (s ClosedSocket) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		jsonSocket
		Lingers linger.Policy `json:"lingers"`
		Woken   *time.Time    `json:"woken,omitempty"`
		Closed  *time.Time    `json:"closed,omitempty"`
		Gone    *time.Time    `json:"gone,omitempty"`
		Outcome Outcome       `json:"outcome"`
	}{s.json(), s.Lingers, jsonTime(s.Woken), jsonTime(s.Closed), jsonTime(s.Gone), s.Outcome})
}

// MarshalJSON writes durations as time.ParseDuration reads them.
func (s Step) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Name  string    `json:"name"`
		Began time.Time `json:"began"`
		Took  string    `json:"took"`
	}{s.Name, s.Began, s.Took.String()})
}

// MarshalJSON writes {"context", "began", "deadline", "took", "done", "steps",
// "sockets", "unclosed", "error"}, durations as time.ParseDuration reads them.
// Context is where it was made. What has not come and what is empty is left out.
func (r Report) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Site     string         `json:"context"`
		Began    *time.Time     `json:"began,omitempty"`
		Deadline *time.Time     `json:"deadline,omitempty"`
		Took     string         `json:"took"`
		Done     bool           `json:"done"`
		Steps    []Step         `json:"steps,omitempty"`
		Sockets  []ClosedSocket `json:"sockets,omitempty"`
		Unclosed int            `json:"unclosed,omitempty"`
		Error    string         `json:"error,omitempty"`
	}{r.Site, jsonTime(r.Began), jsonTime(r.Deadline), r.Took.String(), r.Done, r.Steps, r.Sockets, r.Unclosed, r.CloseError})
}
