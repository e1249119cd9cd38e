package bysite

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

func TestOf(t *testing.T) {
	socket := func(typ zmqsafe.Type, site string, accepted uint64) zmqsafe.SocketInfo {
		return zmqsafe.SocketInfo{
			Type: typ, Site: site, Accepted: accepted, Received: 10 * accepted,
			Waiting: zmqsafe.Waiting{Receives: 1, Sends: 2, Polls: 3},
		}
	}
	first, other, second, third := socket(zmqsafe.PUSH, "a.go:1", 1), socket(zmqsafe.PUSH, "b.go:1", 2), socket(zmqsafe.PULL, "a.go:1", 3), socket(zmqsafe.PUSH, "a.go:1", 4)
	assert.Equal(t, []Group{
		{
			Type: zmqsafe.PUSH, Site: "a.go:1", Sockets: []zmqsafe.SocketInfo{first, third}, Accepted: 5, Received: 50,
			Waiting: zmqsafe.Waiting{Receives: 2, Sends: 4, Polls: 6},
		},
		{Type: zmqsafe.PUSH, Site: "b.go:1", Sockets: []zmqsafe.SocketInfo{other}, Accepted: 2, Received: 20, Waiting: other.Waiting},
		{Type: zmqsafe.PULL, Site: "a.go:1", Sockets: []zmqsafe.SocketInfo{second}, Accepted: 3, Received: 30, Waiting: second.Waiting},
	}, Of([]zmqsafe.SocketInfo{first, other, second, third}))
	assert.Empty(t, Of(nil))
}
