package world

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/zmqsafe/zmq-exit/linger"
)

// Check compares what the three parties of a run have counted, and returns what
// doesn't add up. It is empty if every message is accounted for.
func Check(p *Plan, c *Counts) []string {
	a := account{plan: p, counts: c, faults: slices.Clone(c.Faults)}
	for i := range p.Sockets {
		a.agree(i)
	}
	for i := range p.Flows {
		a.flow(i)
	}
	return a.faults
}

// account is a comparison.
type account struct {
	plan   *Plan
	counts *Counts
	faults []string
}

func (a *account) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

// agree compares the guard's counts of a socket with those of its workers.
func (a *account) agree(socket int) {
	said := a.counts.Said[socket]
	for _, wrong := range said.Wrong {
		a.fault("socket %d: %s", socket, wrong)
	}
	if !said.Reported {
		if !a.plan.Sockets[socket].Closes {
			a.fault("socket %d: the report doesn't have it", socket)
		}
		return
	}
	var accepted, received int
	for i, w := range a.plan.Workers {
		if w.Socket != socket {
			continue
		}
		sent := a.counts.Sent[i]
		accepted += sent.Accepted + sent.Others
		got := a.counts.Received[i]
		for _, n := range got.Probes {
			received += n
		}
		for _, s := range got.Streams {
			received += s.Count
		}
	}
	if said.Accepted != uint64(accepted) {
		a.fault("socket %d: the report says that %d messages were accepted, the sends %d", socket, said.Accepted, accepted)
	}
	if said.Received != uint64(received) {
		a.fault("socket %d: the report says that %d messages were received, the application %d", socket, said.Received, received)
	}
}

// sums are the terms of one flow, or of one receiver of a flow.
type sums struct {
	accepted   int // messages that the sends accepted
	others     int // probes and ghosts that they accepted, too
	received   int
	probes     int // that were received
	unread     int
	unreadMore bool
	mayLose    int
	batch      int // how many libzmq may drop in silence, see Plan.batch
}

func (s sums) String() string {
	more := ""
	if s.unreadMore {
		more = " or more"
	}
	return fmt.Sprintf("%d accepted (and %d probes), %d received (and %d), %d%s unread, %d possibly lost",
		s.accepted, s.others, s.received, s.probes, s.unread, more, s.mayLose)
}

// notTooMany and enough are the two halves of the account.
func (s sums) notTooMany() bool { return s.received+s.probes+s.unread <= s.accepted+s.others }

func (s sums) enough() bool {
	return s.unreadMore || s.accepted <= s.received+s.unread+s.mayLose+s.batch
}

func (a *account) flow(i int) {
	f := a.plan.Flows[i]
	promised := a.plan.promised(i)
	if promised {
		a.noNeedToLose(i)
	}
	for _, to := range f.parties() {
		a.onceEach(i, to)
		s := a.sums(i, to)
		if !s.notTooMany() || promised && a.plan.lossless(f) && !s.enough() {
			a.fault("flow %d (%v) to %v: %v", i, f.Kind, to, s)
		}
		if f.Kind == Latest && promised && !a.hasLast(i, to) {
			a.fault("flow %d (%v) to %v: the last message wasn't received", i, f.Kind, to)
		}
	}
}

// complete reports whether all that is promised of a flow has been received.
func (a *account) complete(i int) bool {
	f := a.plan.Flows[i]
	for _, to := range f.parties() {
		if f.Kind == Latest && !a.hasLast(i, to) || a.plan.lossless(f) && !a.sums(i, to).enough() {
			return false
		}
	}
	return true
}

// parties are the sockets that have a sum of their own: each, if each gets all
// messages, or else all together.
func (f Flow) parties() (parties [][]int) {
	if f.Kind == Once || f.Kind == Routed {
		return [][]int{f.To}
	}
	for _, to := range f.To {
		parties = append(parties, []int{to})
	}
	return parties
}

func (a *account) sums(flow int, to []int) (s sums) {
	for _, stream := range a.plan.senders(flow) {
		s.accepted += a.counts.Sent[stream].Accepted
		s.others += a.counts.Sent[stream].Others
	}
	for _, r := range a.plan.receivers(flow, to) {
		got := a.counts.Received[r]
		for _, stream := range got.Streams {
			s.received += stream.Count
		}
		for _, n := range got.Probes {
			s.probes += n
		}
	}
	s.batch = a.plan.batch(a.plan.Flows[flow])
	for _, socket := range to {
		said := a.counts.Said[socket]
		s.unread += int(said.Unread)
		s.unreadMore = s.unreadMore || said.UnreadMore
	}
	for _, socket := range a.plan.Flows[flow].From {
		s.mayLose += int(a.counts.Said[socket].MayLose + a.counts.Said[socket].Detached)
	}
	return s
}

// onceEach looks for messages that were received twice, or though their send
// had failed.
func (a *account) onceEach(flow int, to []int) {
	for _, stream := range a.plan.senders(flow) {
		accepted := a.counts.Sent[stream].Accepted
		var all Set
		for _, r := range a.plan.receivers(flow, to) {
			got := a.counts.Received[r].Streams[stream]
			if got == nil {
				continue
			}
			if got.Last >= accepted {
				a.fault("flow %d: message %d of stream %d was received, but %d were accepted", flow, got.Last, stream, accepted)
			}
			if twice := all.add(got.Seen) + got.Count - got.Seen.Len(); twice > 0 {
				a.fault("flow %d: %d messages of stream %d were received twice", flow, twice, stream)
			}
		}
	}
}

// hasLast is the sum of CONFLATE: each receiver has the last message of each
// stream.
func (a *account) hasLast(flow int, to []int) bool {
	for _, stream := range a.plan.senders(flow) {
		last := -1
		for _, r := range a.plan.receivers(flow, to) {
			if got := a.counts.Received[r].Streams[stream]; got != nil {
				last = max(last, got.Last)
			}
		}
		if last < a.counts.Sent[stream].Accepted-1 {
			return false
		}
	}
	return true
}

// promised reports whether every message of a flow must be received, unread, or
// possibly lost: for each pair, the receiver lived until the sender's context
// was closed, or it had received everything before its own was. What it doesn't
// receive must have arrived to be counted: over inproc it has at once. Of
// CONFLATE only reception helps: libzmq drops the last message at the close.
// The plan says all this; it takes no counts.
func (p *Plan) promised(flow int) bool {
	f := p.Flows[flow]
	for _, from := range f.From {
		for _, to := range f.To {
			if !p.promisedBetween(f, p.Sockets[from], p.Sockets[to]) {
				return false
			}
		}
	}
	return true
}

func (p *Plan) promisedBetween(f Flow, from, to Socket) bool {
	sends, receives := p.place(from.Context), p.place(to.Context)
	inproc := from.Binds == "inproc" || to.Binds == "inproc"
	switch {
	case p.kernelMayDrop(f, from, to) && (from.Closes || p.detaches(f)):
		return false // at any time
	case receives < sends || receives == sends && !inproc:
		return p.drained(f, receives)
	case receives == sends:
		return p.drained(f, receives) || f.Kind != Latest && p.Interrupt == 0
	}
	counted := p.Ends[receives].In || to.Settles
	return p.drained(f, sends) || counted && f.Kind != Latest && !p.kernelMayDrop(f, from, to)
}

// drained reports whether everything of a flow is received before one of the
// ends.
func (p *Plan) drained(f Flow, place int) bool {
	if p.Interrupt > 0 {
		return false
	}
	return slices.ContainsFunc(p.Ends[:place+1], func(e End) bool {
		return e.In && p.anyIn(f.To, e.Context) || e.Out && p.anyIn(f.From, e.Context)
	})
}

// kernelMayDrop reports whether what the receiver's kernel holds may be thrown
// away when the sender ends, though that ends cleanly. Over ipc that is so if
// libzmq doesn't read at that time, because its queue is full. Over both it is
// so if the receiver sends something that nobody takes any more.
func (p *Plan) kernelMayDrop(f Flow, from, to Socket) bool {
	ipc := from.Binds == "ipc" || to.Binds == "ipc"
	silent := p.Interrupt == 0 && p.Ends[p.place(from.Context)].In
	return ipc && to.ReceiveHWM != 0 || f.Answer && !silent
}

// mostInBatch is how many messages of 500 bytes, on average, fit into what
// libzmq writes at once, which is 8,192 bytes, with a good margin.
const mostInBatch = 40

// batch returns how many messages of a flow libzmq may drop in silence when a
// sender ends, though the receiver lives. What it has taken from the queue for
// one write is dropped if that was the last in the queue, and the kernel
// doesn't take all of it (stream_engine_base.cpp,
// stream_engine_base_t::out_event; session_base.cpp,
// session_base_t::pipe_terminated). That takes a receiver that rests until the
// kernel's buffers are full: megabytes, unless they are small.
func (p *Plan) batch(f Flow) (messages int) {
	for _, to := range f.To {
		if s := p.Sockets[to]; s.Buffer > 0 && s.ReceiveHWM != 0 {
			messages += mostInBatch * len(f.From)
		}
	}
	return messages
}

// place returns as which one a context is closed.
func (p *Plan) place(context int) int {
	return slices.IndexFunc(p.Ends, func(e End) bool { return e.Context == context })
}

// anyIn reports whether one of the sockets is in a context.
func (p *Plan) anyIn(sockets []int, context int) bool {
	return slices.ContainsFunc(sockets, func(s int) bool { return p.Sockets[s].Context == context })
}

// noNeedToLose wants nothing to be possibly lost of a flow whose receivers live
// if no linger was used up.
func (a *account) noNeedToLose(flow int) {
	f := a.plan.Flows[flow]
	for _, from := range f.From {
		said := a.counts.Said[from]
		if lingers := a.lingers(from); said.MayLose > 0 && said.Lingered < lingers {
			a.fault("flow %d: socket %d may have lost %d messages, but lingered for %v of %v", flow, from, said.MayLose, said.Lingered, lingers)
		}
	}
}

// clockSlack is how much earlier than it should a linger may end: libzmq reads
// its clock now and then, in whole milliseconds.
const clockSlack = 5 * time.Millisecond

// closeTimeout is how long Close takes at most.
const closeTimeout = 5 * time.Second

// lingers returns how long a socket has at least.
func (a *account) lingers(socket int) time.Duration {
	s := a.plan.Sockets[socket]
	d := s.Linger
	if d < 0 {
		d = linger.DefaultDuration
	}
	e := a.plan.Ends[a.plan.place(s.Context)]
	within := cmp.Or(e.Within, closeTimeout)
	until := within - min(within/10, 250*time.Millisecond) - clockSlack
	if d = min(d, until); e.Within > 0 && s.Linger < 0 && !s.Closes {
		d = until
	}
	if s.Conflate {
		d = min(d, linger.DefaultDuration) // which is how long a close waits for the last message
	}
	return d - min(clockSlack, d/2)
}
