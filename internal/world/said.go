package world

import (
	"fmt"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// makers make sockets, each on a line of its own: by the line a report says
// which socket it means.
var makers = [...]func(*zmqsafe.Context, zmqsafe.Type) (*zmqsafe.Socket, error){
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
	func(c *zmqsafe.Context, t zmqsafe.Type) (*zmqsafe.Socket, error) { return c.NewSocket(t) },
}

// said takes from a report what it says about the socket that was made on one
// line.
func said(r zmqsafe.Report, site string) (told Said) {
	var unread uint64 // by the list of sockets
	for _, s := range r.Sockets {
		if s.Site != site {
			continue
		}
		told.Reported = true
		told.Accepted += s.Accepted
		told.Received += s.Received
		unread += s.Unread
		if s.Outcome != zmqsafe.Gone {
			told.MayLose += s.Accepted
		}
	}
	for _, u := range r.Unread {
		if u.Site == site {
			told.Unread += u.Messages
			told.UnreadMore = told.UnreadMore || u.AtLeast
		}
	}
	if told.Reported && unread != told.Unread {
		told.Wrong = append(told.Wrong, fmt.Sprintf("the report has %d unread messages in one list and %d in the other", unread, told.Unread))
	}
	for _, d := range r.Detached {
		if d.SocketSite == site {
			told.Detached += d.MayLose
			if d.Outcome == zmqsafe.Holding {
				told.Detached += d.Accepted
			}
		}
	}
	return told
}
