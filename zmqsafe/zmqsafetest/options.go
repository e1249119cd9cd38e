package zmqsafetest

import (
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// Option changes what VerifyNone, VerifyTestMain and Find look for.
type Option func(*settings)

type settings struct {
	contexts map[contextKey]bool // to be ignored, but not their new sockets
	sockets  map[socketKey]bool  // to be ignored
}

// contextKey and socketKey tell what was there from what is new: nothing is made at
// one place twice in the same nanosecond.
type (
	contextKey struct {
		site    string
		created time.Time
	}
	socketKey struct {
		typ     zmqsafe.Type
		site    string
		created time.Time
	}
)

func keyOf(c zmqsafe.ContextInfo) contextKey { return contextKey{c.Site, c.Created} }

func keyOfSocket(s zmqsafe.SocketInfo) socketKey { return socketKey{s.Type, s.Site, s.Created} }

// IgnoreCurrent ignores the contexts and sockets that are open now, when it is
// called. Sockets that are made later in one of those contexts are not ignored. In a
// deferred VerifyNone it is called by the defer statement, not at the end.
func IgnoreCurrent() Option {
	now := zmqsafe.Contexts()
	return func(s *settings) {
		if s.contexts == nil {
			s.contexts, s.sockets = make(map[contextKey]bool), make(map[socketKey]bool)
		}
		for _, c := range now {
			s.contexts[keyOf(c)] = true
			for _, soc := range c.Sockets {
				s.sockets[keyOfSocket(soc)] = true
			}
		}
	}
}

func (s *settings) ignoresContext(c zmqsafe.ContextInfo) bool { return s.contexts[keyOf(c)] }

func (s *settings) notIgnored(sockets []zmqsafe.SocketInfo) []zmqsafe.SocketInfo {
	var rest []zmqsafe.SocketInfo
	for _, soc := range sockets {
		if !s.sockets[keyOfSocket(soc)] {
			rest = append(rest, soc)
		}
	}
	return rest
}
