package zmqsafetest

import (
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// Option changes what [VerifyNone], [VerifyTestMain] and [Find] look for. The
// zero Option changes nothing.
type Option struct {
	ignored map[key]bool // a context without its new sockets
}

// key identifies a context or a socket: a line makes no two of them in the same
// nanosecond.
type key struct {
	what, site string
	created    time.Time
}

func contextKey(c zmqsafe.ContextInfo) key { return key{"context", c.Site, c.Created} }

func socketKey(s zmqsafe.SocketInfo) key { return key{s.Type.String(), s.Site, s.Created} }

// IgnoreCurrent ignores the contexts and sockets that are open when it is
// called, but not the sockets that those contexts make later. In a deferred
// [VerifyNone], the defer statement calls it, not the end of the test. Like
// [zmqsafe.Contexts], it waits for calls inside libzmq, which take one message
// at most.
func IgnoreCurrent() Option {
	ignored := make(map[key]bool)
	for _, c := range zmqsafe.Contexts() {
		ignored[contextKey(c)] = true
		for _, soc := range c.Sockets {
			ignored[socketKey(soc)] = true
		}
	}
	return Option{ignored}
}
