package world

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// Plan is a program, as data. Others refer to contexts, sockets, flows and
// workers by their index.
type Plan struct {
	Seed     uint64
	Contexts []Context
	Sockets  []Socket // in the order in which they are made
	Flows    []Flow
	Workers  []Worker

	// Interrupt is how many messages must have been accepted before the
	// contexts are closed, amid sending and receiving. With 0, every sender
	// ends first.
	Interrupt int
	Ends      []End // one for each context, in this order
}

// Context is a context and the process that it is in, 0 or 1.
type Context struct{ Process int }

// Socket is a socket and its options.
type Socket struct {
	Context    int
	Type       zmqsafe.Type
	Binds      string        // the transport on which it binds, or empty
	Peers      []int         // the sockets that it connects to
	Nowhere    bool          // it connects to an endpoint where nobody is
	Linger     time.Duration // negative: not set
	SendHWM    int
	ReceiveHWM int
	Buffer     int // the kernel's buffers, in bytes; 0: not set
	Identity   string
	Mandatory  bool // of a ROUTER
	NoDrop     bool // of an XPUB
	Conflate   bool
	Closes     bool // the program closes it when its senders have ended

	// Settles is true if its context is closed when the connections to all its
	// peers have ended: then everything that they sent has arrived.
	Settles bool
}

// Kind says what the sums of a flow are.
type Kind int

const (
	// One receiver gets each message.
	Once Kind = iota
	// Every receiver gets a copy of each message, in order, but for those that
	// the high-water mark drops.
	Copies
	// A ROUTER without ROUTER_MANDATORY: messages for a peer that isn't there
	// are dropped, and so are those above the high-water mark.
	Routed
	// CONFLATE: a receiver gets some of the messages, in order, and while both
	// live the last.
	Latest
)

// Flow is one direction of messages: from every socket in From to those in To.
type Flow struct {
	Kind
	From, To []int

	// Answer is true if messages go the other way, too, over the same
	// connections.
	Answer bool
}

// Role is what a worker does.
type Role int

const (
	Send    Role = iota // sends messages
	Receive             // receives until its socket is closed
	Ask                 // sends a request and receives the reply, again and again
	Reply               // receives a request and replies, until its socket is closed
	Detach              // detaches the socket from its endpoints and attaches it again, Messages times
	Look                // reads options, polls, and lists what is open
)

// Worker is a goroutine of the program. Its index is the number of the stream
// of messages that it sends.
type Worker struct {
	Role
	Socket   int
	Out, In  int           // the flows that it sends into and receives from, or -1
	Messages int           // to send
	Parts    int           // of a message, at most
	Size     int           // of a part, in bytes, at most
	Patience time.Duration // a sender gives up after that time; 0: never
	Stall    int           // a receiver rests after that many messages; 0: never
	Alone    bool          // nobody else sends (or receives) on the socket, so it may do so part by part
}

// End is how a context is closed.
type End struct {
	Context int
	In      bool          // first, all messages for its sockets are received; otherwise those who rest go on resting
	Out     bool          // first, all messages of its sockets are received
	Within  time.Duration // of Shutdown; 0: Close
}

// String is the plan for the reader of a failure.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\n", p.Seed)
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i, s := range p.Sockets {
		fmt.Fprintf(table, "socket %d\t%v\tcontext %d, process %d\t%s\n", i, s.Type, s.Context, p.Contexts[s.Context].Process, strings.Join(s.said(), ", "))
	}
	for i, f := range p.Flows {
		fmt.Fprintf(table, "flow %d\t%v\t%v -> %v\n", i, f.Kind, f.From, f.To)
	}
	for i, w := range p.Workers {
		fmt.Fprintf(table, "worker %d\t%v\tsocket %d\t%s\n", i, w.Role, w.Socket, strings.Join(w.said(), ", "))
	}
	if p.Interrupt > 0 {
		fmt.Fprintf(table, "interrupt\tafter %d messages\n", p.Interrupt)
	}
	for _, e := range p.Ends {
		fmt.Fprintf(table, "end\tcontext %d\t%s\n", e.Context, strings.Join(e.said(), ", "))
	}
	table.Flush()
	return b.String()
}

func (s Socket) said() (said []string) {
	say := func(when bool, format string, args ...any) {
		if when {
			said = append(said, fmt.Sprintf(format, args...))
		}
	}
	say(s.Binds != "", "binds %s", s.Binds)
	say(len(s.Peers) > 0, "connects to %v", s.Peers)
	say(s.Nowhere, "connects to nobody")
	say(s.Linger >= 0, "LINGER %v", s.Linger)
	say(true, "SNDHWM %d, RCVHWM %d", s.SendHWM, s.ReceiveHWM)
	say(s.Buffer > 0, "SNDBUF and RCVBUF %d", s.Buffer)
	say(s.Identity != "", "identity %s", s.Identity)
	say(s.Mandatory, "MANDATORY")
	say(s.NoDrop, "NODROP")
	say(s.Conflate, "CONFLATE")
	say(s.Closes, "closed by the program")
	say(s.Settles, "until its connections have ended")
	return said
}

func (w Worker) said() (said []string) {
	if w.Role == Detach {
		return []string{fmt.Sprintf("%d times", w.Messages)}
	}
	if w.Messages > 0 {
		said = append(said, fmt.Sprintf("%d messages of 1 to %d parts of at most %d bytes", w.Messages, w.Parts, w.Size))
	}
	if w.Patience > 0 {
		said = append(said, fmt.Sprint("gives up after ", w.Patience))
	}
	if w.Stall > 0 {
		said = append(said, fmt.Sprintf("rests after %d messages", w.Stall))
	}
	if w.Alone {
		said = append(said, "alone")
	}
	return said
}

func (e End) said() (said []string) {
	if e.In {
		said = append(said, "once it has received everything")
	}
	if e.Out {
		said = append(said, "once everything has been received")
	}
	if e.Within > 0 {
		return append(said, fmt.Sprintf("Shutdown(%v)", e.Within))
	}
	return append(said, "Close")
}

// String is the name of the constant, in lower case.
func (k Kind) String() string {
	return [...]string{"once", "copies", "routed", "latest"}[k]
}

// String is the name of the constant, in lower case.
func (r Role) String() string {
	return [...]string{"send", "receive", "ask", "reply", "detach", "look"}[r]
}

// senders lists the workers that send into a flow.
func (p *Plan) senders(flow int) (workers []int) {
	for i, w := range p.Workers {
		if w.Out == flow {
			workers = append(workers, i)
		}
	}
	return workers
}

// receivers lists the workers that receive a flow at some sockets.
func (p *Plan) receivers(flow int, to []int) (workers []int) {
	for i, w := range p.Workers {
		if w.In == flow && slices.Contains(to, w.Socket) {
			workers = append(workers, i)
		}
	}
	return workers
}

// detaches reports whether a sender of the flow is detached from its endpoints
// now and then. Each time its messages take a new pipe, and those in the old
// one may come later.
func (p *Plan) detaches(f Flow) bool {
	return slices.ContainsFunc(p.Workers, func(w Worker) bool { return w.Role == Detach && slices.Contains(f.From, w.Socket) })
}

// lossless reports whether the high-water mark drops nothing of a flow: the
// queues of its senders have no bound, or a send waits.
func (p *Plan) lossless(f Flow) bool {
	return f.Kind == Once || f.Kind != Latest && !slices.ContainsFunc(f.From, func(from int) bool {
		s := p.Sockets[from]
		return s.SendHWM != 0 && !s.NoDrop
	})
}
