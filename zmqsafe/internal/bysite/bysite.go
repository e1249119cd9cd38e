// Package bysite groups sockets by the line of the program that made them. One
// line may have made thousands.
package bysite

import "github.com/zmqsafe/zmq-exit/zmqsafe"

// Group is the sockets of one type that one line made.
type Group struct {
	Type    zmqsafe.Type
	Site    string // the line, "dir/file.go:42"
	Sockets []zmqsafe.SocketInfo

	Accepted, Received uint64          // messages of all of them
	Waiting            zmqsafe.Waiting // calls blocked on all of them
}

// Of groups sockets. Groups, and the sockets of each, stay in the order of
// sockets.
func Of(sockets []zmqsafe.SocketInfo) []Group {
	type key struct {
		typ  zmqsafe.Type
		site string
	}
	index := make(map[key]int)
	var groups []Group
	for _, s := range sockets {
		i, known := index[key{s.Type, s.Site}]
		if !known {
			i = len(groups)
			index[key{s.Type, s.Site}] = i
			groups = append(groups, Group{Type: s.Type, Site: s.Site})
		}
		g := &groups[i]
		g.Sockets = append(g.Sockets, s)
		g.Accepted += s.Accepted
		g.Received += s.Received
		g.Waiting = Sum(g.Waiting, s.Waiting)
	}
	return groups
}

// Sum adds two counts of blocked calls.
func Sum(a, b zmqsafe.Waiting) zmqsafe.Waiting {
	return zmqsafe.Waiting{Receives: a.Receives + b.Receives, Sends: a.Sends + b.Sends, Polls: a.Polls + b.Polls}
}
