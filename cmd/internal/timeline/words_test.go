package timeline

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOutcome(t *testing.T) {
	r := Report{Began: start, Took: duration(time.Millisecond), Done: true}
	assert.Equal(t, "Closed in 1ms. No socket was left to close.", r.outcome())
	r.Sockets = []Socket{{Outcome: gone}}
	r.Deadline = r.Began.Add(5 * time.Second)
	assert.Equal(t, "Closed in 1ms of 5s. Its socket is gone.", r.outcome())
	r.Sockets = append(r.Sockets, Socket{Outcome: gone})
	assert.Equal(t, "Closed in 1ms of 5s. Its 2 sockets are gone.", r.outcome())
	r.Sockets[1].Outcome = ranOut
	assert.Equal(t, "Closed in 1ms of 5s. LINGER ran out for 1 socket: messages may be lost.", r.outcome())
	r.Sockets[0].Outcome, r.Done = holding, false
	assert.Equal(t, "Not closed after 1ms of 5s. libzmq still has 1 socket. LINGER ran out for 1 socket: messages may be lost.", r.outcome())
	r.Sockets, r.Unclosed = nil, 1234
	assert.Equal(t, "Not closed after 1ms of 5s. 1,234 sockets still had to be closed.", r.outcome())
}

func TestLosses(t *testing.T) {
	r := Report{Detached: []Detached{{}}}
	assert.Empty(t, r.losses(), "all was sent")
	r.Detached = append(r.Detached, Detached{At: "dir/a.go:1", Type: "PUSH", MadeAt: "dir/a.go:2", MayLose: 1, Open: 2, Endpoints: []string{"tcp://a:1", "tcp://b:1"}})
	const call = "Disconnect at dir/a.go:1 of a PUSH socket made at dir/a.go:2 (tcp://a:1, tcp://b:1)."
	assert.Equal(t, []string{"1 message at most may be lost by " + call, "libzmq may still be sending after " + call}, r.losses())
	r.Detached[1].Bound = true
	assert.Contains(t, r.losses()[0], "lost by Unbind at dir/a.go:1 of")
	for range maxLosses - 2 {
		r.Unread = append(r.Unread, Unread{Type: "PULL", MadeAt: "dir/a.go:3", Sockets: 1, Messages: 1234})
	}
	assert.Len(t, r.losses(), maxLosses)
	assert.Equal(t, "Unread: 1,234 messages, at 1 PULL socket made at dir/a.go:3.", r.losses()[2])
	r.Unread = append(r.Unread, r.Unread[0])
	assert.Len(t, r.losses(), maxLosses+1)
	r.Unread = append(r.Unread, r.Unread[0])
	assert.Equal(t, "And 2 more.", r.losses()[maxLosses])
}

func TestRounded(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 987: "987ns", 12345: "12.3µs", 899_479 * time.Microsecond: "899ms", 1_002_345_678: "1s", 61_200_000_000: "1m1.2s",
	} {
		assert.Equal(t, want, rounded(d))
	}
}
