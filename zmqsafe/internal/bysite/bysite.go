// Package bysite puts the sockets together that one line of a program has made. There
// may be thousands of them.
package bysite

import "github.com/zmqsafe/zmq-exit/zmqsafe"

// Group are sockets of one type that the same line has made.
type Group struct {
	Type    zmqsafe.Type
	Site    string
	Sockets []zmqsafe.SocketInfo
	Waiting zmqsafe.Waiting // on all of them
}

// Of keeps the order of sockets: that of the first of each group, and within a group.
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
		g.Waiting = Sum(g.Waiting, s.Waiting)
	}
	return groups
}

// Sum adds up calls that are blocked.
func Sum(a, b zmqsafe.Waiting) zmqsafe.Waiting {
	return zmqsafe.Waiting{Receives: a.Receives + b.Receives, Sends: a.Sends + b.Sends, Polls: a.Polls + b.Polls}
}
