package world

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// made is a plan with one flow from sockets 0 to sockets 1 on, and what was
// counted: ten messages accepted and received by the first, and nothing lost.
func made(kind Kind, receivers int, transport string) (*Plan, *Counts) {
	p := &Plan{
		Contexts: make([]Context, 2),
		Sockets:  []Socket{{Type: zmqsafe.PUSH, Binds: transport, Linger: time.Second}},
		Flows:    []Flow{{Kind: kind, From: []int{0}}},
		Workers:  []Worker{{Role: Send, Out: 0, In: -1, Messages: 10}},
		Ends:     []End{{Context: 0}, {Context: 1, In: true}},
	}
	c := newCounts()
	c.Sent[0] = Sent{Accepted: 10, Done: true}
	c.Said[0] = Said{Reported: true, Accepted: 10, Lingered: 10 * time.Millisecond}
	for i := 1; i <= receivers; i++ {
		p.Sockets = append(p.Sockets, Socket{Context: 1, Type: zmqsafe.PULL, Linger: -1})
		p.Flows[0].To = append(p.Flows[0].To, i)
		p.Workers = append(p.Workers, Worker{Role: Receive, Socket: i, Out: -1, In: 0})
		c.Received[i] = Received{map[int]*Stream{}, map[int]int{}}
		c.Said[i] = Said{Reported: true}
	}
	receive(&c, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	return p, &c
}

// receive replaces what a worker has received of stream 0.
func receive(c *Counts, worker int, numbers ...int) {
	s := &Stream{Last: -1}
	for _, n := range numbers {
		s.Seen.Add(n)
		s.Count++
		s.Last = max(s.Last, n)
	}
	c.Received[worker].Streams[0] = s
	told := c.Said[worker]
	told.Received = uint64(len(numbers))
	c.Said[worker] = told
}

func say(c *Counts, socket int, change func(*Said)) {
	told := c.Said[socket]
	change(&told)
	c.Said[socket] = told
}

func TestCheck(t *testing.T) {
	nine := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
	ranOut := func(c *Counts) { say(c, 0, func(s *Said) { s.MayLose, s.Lingered = 10, time.Second }) }
	tests := []struct {
		name      string
		kind      Kind
		receivers int
		transport string
		change    func(*Plan, *Counts)
		want      []string // a part of each fault
	}{
		{"all is well", Once, 1, "tcp", func(*Plan, *Counts) {}, nil},
		{"one is lost", Once, 1, "tcp", func(_ *Plan, c *Counts) { receive(c, 1, nine...) }, []string{"10 accepted (and 0 probes), 9 received"}},
		{"one is lost, and may be", Once, 1, "tcp", func(_ *Plan, c *Counts) { receive(c, 1, nine...); ranOut(c) }, nil},
		{"one is unread", Once, 1, "tcp", func(_ *Plan, c *Counts) {
			receive(c, 1, nine...)
			say(c, 1, func(s *Said) { s.Unread = 1 })
		}, nil},
		{"one too many is unread", Once, 1, "tcp", func(_ *Plan, c *Counts) { say(c, 1, func(s *Said) { s.Unread = 1 }) }, []string{"1 unread"}},
		{"at least one of two is unread", Once, 1, "tcp", func(_ *Plan, c *Counts) {
			receive(c, 1, nine[1:]...)
			say(c, 1, func(s *Said) { s.Unread, s.UnreadMore = 1, true })
		}, nil},
		{"nothing needed to be lost", Once, 1, "tcp", func(_ *Plan, c *Counts) {
			say(c, 0, func(s *Said) { s.MayLose = 10 })
		}, []string{"lingered for 10ms of 995ms"}},
		{"the close cut the linger", Once, 1, "tcp", func(p *Plan, c *Counts) {
			p.Sockets[0].Linger = 8 * time.Second
			say(c, 0, func(s *Said) { s.MayLose, s.Lingered = 10, 4750*time.Millisecond })
		}, nil},
		{"the close waited for the last message", Latest, 1, "tcp", func(p *Plan, c *Counts) {
			p.Sockets[0].Linger, p.Sockets[0].Conflate = 3*time.Second, true
			say(c, 0, func(s *Said) { s.MayLose, s.Lingered = 10, time.Second })
		}, nil},
		{"one came twice", Once, 1, "tcp", func(_ *Plan, c *Counts) { receive(c, 1, append(nine, 8)...) }, []string{"1 messages of stream 0 were received twice"}},
		{"two have the same one", Once, 2, "tcp", func(_ *Plan, c *Counts) {
			receive(c, 1, nine...)
			receive(c, 2, 8, 9)
		}, []string{"received twice", "11 received"}},
		{"two share them", Once, 2, "tcp", func(_ *Plan, c *Counts) { receive(c, 1, nine...); receive(c, 2, 9) }, nil},
		{"a send that failed has sent", Once, 1, "tcp", func(_ *Plan, c *Counts) {
			c.Sent[0] = Sent{Accepted: 9}
			say(c, 0, func(s *Said) { s.Accepted = 9 })
		}, []string{"message 9 of stream 0 was received, but 9 were accepted", "9 accepted"}},
		{"the report counts otherwise", Once, 1, "tcp", func(_ *Plan, c *Counts) {
			say(c, 0, func(s *Said) { s.Accepted = 9 })
			say(c, 1, func(s *Said) { s.Received = 9 })
		}, []string{"the report says that 9 messages were accepted, the sends 10", "the report says that 9 messages were received, the application 10"}},
		{"a socket isn't in the report", Once, 1, "tcp", func(_ *Plan, c *Counts) { say(c, 0, func(s *Said) { s.Reported = false }) }, []string{"doesn't have it"}},
		{"the program closed it", Once, 1, "tcp", func(p *Plan, c *Counts) {
			p.Sockets[0].Closes = true
			c.Said[0] = Said{}
		}, nil},
		{"the report contradicts itself", Once, 1, "tcp", func(_ *Plan, c *Counts) { say(c, 1, func(s *Said) { s.Wrong = []string{"two numbers"} }) }, []string{"two numbers"}},
		{"a worker saw a fault", Once, 1, "tcp", func(_ *Plan, c *Counts) { c.Faults = []string{"torn"} }, []string{"torn"}},
		{"the receiver dies first", Once, 1, "tcp", func(p *Plan, c *Counts) {
			p.Ends[0], p.Ends[1] = p.Ends[1], p.Ends[0]
			p.Ends[0].In = false
			receive(c, 1)
		}, nil},
		{"the receiver has all and dies", Once, 1, "tcp", func(p *Plan, c *Counts) {
			p.Ends[0], p.Ends[1] = p.Ends[1], p.Ends[0]
			receive(c, 1, nine...)
		}, []string{"9 received"}},
		{"it is interrupted and dies", Once, 1, "tcp", func(p *Plan, c *Counts) {
			p.Ends[0], p.Ends[1], p.Interrupt = p.Ends[1], p.Ends[0], 5
			receive(c, 1, nine...)
		}, nil},
		{"the sender is interrupted", Once, 1, "tcp", func(p *Plan, c *Counts) { p.Interrupt = 5; receive(c, 1, nine...) }, []string{"9 received"}},
		{"ipc with a full queue", Once, 1, "ipc", func(p *Plan, c *Counts) { p.Sockets[1].ReceiveHWM = 10; receive(c, 1, nine...) }, nil},
		{"ipc without bound", Once, 1, "ipc", func(_ *Plan, c *Counts) { receive(c, 1, nine...) }, []string{"9 received"}},
		{"nobody is there", Once, 0, "tcp", func(_ *Plan, c *Counts) { delete(c.Received, 1); c.Said[0] = Said{Reported: true, Accepted: 10} }, []string{"10 accepted (and 0 probes), 0 received"}},
		{"copies", Copies, 2, "tcp", func(_ *Plan, c *Counts) { receive(c, 2, append(nine, 9)...) }, nil},
		{"a copy is lost", Copies, 2, "tcp", func(_ *Plan, c *Counts) { receive(c, 2, nine...) }, []string{"to [2]: 10 accepted"}},
		{"the high-water mark drops a copy", Copies, 2, "tcp", func(p *Plan, c *Counts) { p.Sockets[0].SendHWM = 5; receive(c, 2, nine...) }, nil},
		{"a send waits for room", Copies, 2, "tcp", func(p *Plan, c *Counts) {
			p.Sockets[0].SendHWM, p.Sockets[0].NoDrop = 5, true
			receive(c, 2, nine...)
		}, []string{"to [2]: 10 accepted"}},
		{"unroutable", Routed, 1, "tcp", func(_ *Plan, c *Counts) {
			c.Sent[0] = Sent{Accepted: 10, Others: 3}
			say(c, 0, func(s *Said) { s.Accepted = 13 })
		}, nil},
		{"a routed message is lost", Routed, 1, "tcp", func(_ *Plan, c *Counts) { receive(c, 1, nine...) }, []string{"9 received"}},
		{"the latest at the close", Latest, 1, "tcp", func(_ *Plan, c *Counts) { receive(c, 1, 3, 8) }, nil},
		{"the latest while both live", Latest, 1, "tcp", func(p *Plan, c *Counts) { p.Ends[0].Out = true; receive(c, 1, 3, 8) }, []string{"the last message wasn't received"}},
		{"the latest has come", Latest, 1, "tcp", func(p *Plan, c *Counts) { p.Ends[0].Out = true; receive(c, 1, 9) }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, c := made(test.kind, max(test.receivers, 1), test.transport)
			if test.receivers == 0 {
				p.Flows[0].To, p.Sockets, p.Workers = nil, p.Sockets[:1], p.Workers[:1]
			}
			test.change(p, c)
			got := Check(p, c)
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for _, want := range test.want {
				if !slices.ContainsFunc(got, func(fault string) bool { return strings.Contains(fault, want) }) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
}
