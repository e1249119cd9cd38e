package zmqsafe

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// However many sockets and endpoints there are, a line of a log and an error are
// read by people.
func TestTextIsBounded(t *testing.T) {
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprintf("tcp://metrics.example:%d", 1+i))
	}
	one := ClosedSocket{SocketInfo: SocketInfo{Type: PUSH, Site: "x.go:1", Endpoints: many, Linger: linger.Drop}, Lingers: linger.Drop, Closed: time.Now()}
	assert.Contains(t, one.SocketInfo.String(), "metrics.example:10, and 4990 more)")
	assert.NotContains(t, one.SocketInfo.String(), "metrics.example:11")
	r := Report{Began: time.Now(), Done: true}
	for range 5000 {
		s := one
		s.Endpoints = many[:1]
		s.Outcome = RanOut
		r.Sockets = append(r.Sockets, s)
	}
	for name, text := range map[string]string{
		"list": list(r.Sockets), "held": explainHeld(r.Sockets), "log": fmt.Sprint(r.LogValue()),
	} {
		assert.Contains(t, text, "and 4990 more", name)
		assert.Less(t, len(text), 2000, name)
	}
	assert.Equal(t, 1, strings.Count(explainHeld(r.Sockets), "host name metrics.example"))
	text, err := json.Marshal(r)
	require.NoError(t, err)
	assert.Equal(t, 5000, strings.Count(string(text), `"made_at"`), "programs get all")
	assert.Equal(t, 5000, strings.Count(r.String(), "ran out  "), "so does who asks for the table")

	assert.Empty(t, list(nil))
	assert.Len(t, strings.Split(list(r.Sockets[:10]), "; "), 10)
	assert.NotContains(t, list(r.Sockets[:10]), "more")
}
