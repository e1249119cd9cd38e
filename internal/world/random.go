package world

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// Random makes the plan of a seed.
func Random(seed uint64) Plan {
	p := planner{Rand: rand.New(rand.NewPCG(seed, 0))}
	p.plan.Seed = seed
	p.shared = p.oneIn(5)
	contexts := 2 + p.IntN(2)
	if p.shared {
		contexts = 1
	}
	twoProcesses := p.oneIn(2)
	for i := range contexts {
		process := 0
		if twoProcesses {
			process = i % 2
		}
		p.plan.Contexts = append(p.plan.Contexts, Context{process})
	}
	p.interrupts = !p.shared && p.oneIn(3)
	p.unheard = !p.shared && p.oneIn(2)
	p.leaves = p.oneIn(2)
	for range 1 + p.IntN(2) {
		pick(p.Rand, p.pushPull, p.dealerRouter, p.reqRep, p.pair, p.pubSub, p.conflate)()
	}
	if p.unheard {
		pick(p.Rand, p.nobody, p.stalled, p.left, p.detached)()
	}
	if p.oneIn(3) {
		p.worker(Worker{Role: Look, Socket: p.IntN(len(p.plan.Sockets)), Out: -1, In: -1})
	}
	p.ends()
	return p.plan
}

// planner makes a plan.
type planner struct {
	*rand.Rand
	plan       Plan
	shared     bool // there is one context, and inproc
	interrupts bool // contexts are closed amid sending
	unheard    bool // context 0 is closed before all is received
	leaves     bool // messages are left unread
}

func (p *planner) oneIn(n int) bool { return p.IntN(n) == 0 }

// pick picks one of some values. The random numbers that it takes depend on
// nothing but how many there are.
func pick[T any](rng *rand.Rand, of ...T) T { return of[rng.IntN(len(of))] }

// ends chooses how the contexts are closed.
func (p *planner) ends() {
	if p.interrupts {
		total := 0
		for _, w := range p.plan.Workers {
			total += w.Messages
		}
		p.plan.Interrupt = 1 + p.IntN(total)
	}
	order := p.Perm(len(p.plan.Contexts))
	if p.unheard { // by context 0, which others wait for
		order = order[:0]
		for i := range p.plan.Contexts {
			order = append(order, i)
		}
	}
	for _, i := range order {
		e := End{Context: i, In: !p.leaves, Out: !p.unheard && !p.leaves && p.oneIn(3)}
		if p.oneIn(3) {
			e.Within = time.Duration(100+p.IntN(900)) * time.Millisecond
			if !p.unheard {
				e.Within *= 10
			}
		}
		p.plan.Ends = append(p.plan.Ends, e)
	}
}

// socket adds a socket. The others choose what they need.
func (p *planner) socket(context int, t zmqsafe.Type) int {
	s := Socket{Context: context, Type: t, Linger: -1, SendHWM: pick(p.Rand, 1000, 1000, 10, 100, 0), ReceiveHWM: pick(p.Rand, 1000, 1000, 10, 100, 0)}
	if p.oneIn(2) {
		s.Linger = time.Duration(2+p.IntN(8)) * time.Second
	}
	p.plan.Sockets = append(p.plan.Sockets, s)
	return len(p.plan.Sockets) - 1
}

func (p *planner) at(i int) *Socket { return &p.plan.Sockets[i] }

// contextPair picks the contexts of the two ends of a connection.
func (p *planner) contextPair() (one, other int) {
	if p.shared {
		return 0, 0
	}
	order := p.Perm(len(p.plan.Contexts))
	return order[0], order[1]
}

// connect connects all sockets of one side with all of the other. Either side
// may bind if each of the other is to have all of its sockets.
func (p *planner) connect(some, others []int, transports ...string) {
	if p.shared {
		transports = []string{"inproc", "inproc", "tcp", "ipc"}
	} else if len(transports) == 0 {
		transports = []string{"tcp", "tcp", "ipc"}
	}
	transport := pick(p.Rand, transports...)
	if p.oneIn(2) {
		some, others = others, some
	}
	for _, i := range some {
		p.at(i).Binds = transport
	}
	for _, i := range others {
		p.at(i).Peers = some
	}
}

func (p *planner) flow(f Flow) int {
	p.plan.Flows = append(p.plan.Flows, f)
	return len(p.plan.Flows) - 1
}

func (p *planner) worker(w Worker) { p.plan.Workers = append(p.plan.Workers, w) }

// send adds workers that send into a flow.
func (p *planner) send(flow, most int, template Worker) {
	for _, socket := range p.plan.Flows[flow].From {
		workers := 1 + p.IntN(most)
		for range workers {
			w := template
			w.Role, w.Socket, w.Out, w.In, w.Alone = Send, socket, flow, -1, workers == 1
			if p.shared && p.leaves && p.mayRest(flow) {
				w.Patience = 50 * time.Millisecond
			}
			p.load(&w)
			p.worker(w)
		}
	}
}

// load chooses how many messages a worker sends, and how large.
func (p *planner) load(w *Worker) {
	if w.Messages == 0 {
		w.Messages = 20 + p.IntN(pick(p.Rand, 100, 1000, 5000))
	}
	if w.Parts == 0 {
		w.Parts = pick(p.Rand, 1, 1, 2, 5)
	}
	if w.Size == 0 {
		w.Size = pick(p.Rand, 10, 100, 1000, 100_000)
	}
	const most = 10 << 20 // bytes
	w.Messages = max(20, min(w.Messages, most/(w.Size*w.Parts)))
}

// receive adds workers that receive a flow.
func (p *planner) receive(flow, most int, template Worker) {
	for _, socket := range p.plan.Flows[flow].To {
		workers := 1 + p.IntN(most)
		for range workers {
			w := template
			w.Role, w.Socket, w.Out, w.In, w.Alone = Receive, socket, -1, flow, workers == 1
			if p.shared && p.leaves && p.mayRest(flow) && p.oneIn(2) {
				w.Stall = 1 + p.IntN(200)
			}
			p.worker(w)
		}
	}
}

// mayRest reports whether receivers of a flow may rest. Those of a ROUTER
// don't: it waits for a message of each sender before it sends.
func (p *planner) mayRest(flow int) bool {
	return p.at(p.plan.Flows[flow].To[0]).Type != zmqsafe.ROUTER
}

// The nets: sockets that are connected with each other.

func (p *planner) pushPull() {
	from, to := p.contextPair()
	var pushes, pulls []int
	for range 1 + p.IntN(2) {
		pushes = append(pushes, p.socket(from, zmqsafe.PUSH))
		p.at(pushes[0]).Closes = p.oneIn(4)
	}
	for range 1 + p.IntN(2) {
		pulls = append(pulls, p.socket(to, zmqsafe.PULL))
	}
	p.connect(pushes, pulls)
	f := p.flow(Flow{Kind: Once, From: pushes, To: pulls})
	p.send(f, 3, Worker{})
	p.receive(f, 2, Worker{})
}

func (p *planner) dealerRouter() {
	one, other := p.contextPair()
	router := p.socket(other, zmqsafe.ROUTER)
	p.at(router).Mandatory = p.oneIn(2)
	if !p.at(router).Mandatory && p.oneIn(2) {
		p.at(router).SendHWM = 0
	}
	var dealers []int
	for i := range 1 + p.IntN(3) {
		dealers = append(dealers, p.socket(one, zmqsafe.DEALER))
		p.at(dealers[i]).Identity = fmt.Sprintf("dealer %d", dealers[i])
	}
	p.connect(dealers, []int{router})
	kind := Routed
	if p.at(router).Mandatory {
		kind = Once
	}
	back := p.oneIn(2)
	f := p.flow(Flow{Kind: Once, From: dealers, To: []int{router}, Answer: back})
	p.send(f, 2, Worker{})
	p.receive(f, 2, Worker{})
	if back {
		f := p.flow(Flow{Kind: kind, From: []int{router}, To: dealers, Answer: true})
		p.send(f, 2, Worker{})
		p.receive(f, 2, Worker{})
	}
}

func (p *planner) reqRep() {
	one, other := p.contextPair()
	rep := p.socket(other, zmqsafe.REP)
	var reqs []int
	for range 1 + p.IntN(2) {
		reqs = append(reqs, p.socket(one, zmqsafe.REQ))
	}
	p.connect(reqs, []int{rep})
	there := p.flow(Flow{Kind: Once, From: reqs, To: []int{rep}, Answer: true})
	back := p.flow(Flow{Kind: Once, From: []int{rep}, To: reqs, Answer: true})
	for _, req := range reqs {
		w := Worker{Role: Ask, Socket: req, Out: there, In: back, Messages: 20 + p.IntN(300)}
		p.load(&w)
		p.worker(w)
	}
	w := Worker{Role: Reply, Socket: rep, Out: back, In: there}
	p.load(&w)
	w.Messages = 0
	p.worker(w)
}

func (p *planner) pair() {
	one, other := p.contextPair()
	a, b := p.socket(one, zmqsafe.PAIR), p.socket(other, zmqsafe.PAIR)
	p.connect([]int{a}, []int{b})
	back := p.oneIn(2)
	f := p.flow(Flow{Kind: Once, From: []int{a}, To: []int{b}, Answer: back})
	p.send(f, 3, Worker{})
	p.receive(f, 2, Worker{})
	if back {
		f := p.flow(Flow{Kind: Once, From: []int{b}, To: []int{a}, Answer: true})
		p.send(f, 3, Worker{})
		p.receive(f, 2, Worker{})
	}
}

func (p *planner) pubSub() {
	from, to := p.contextPair()
	t := pick(p.Rand, zmqsafe.PUB, zmqsafe.XPUB)
	pub := p.socket(from, t)
	switch {
	case p.oneIn(2):
		p.at(pub).SendHWM = 0
	case t == zmqsafe.XPUB:
		p.at(pub).NoDrop = true
		p.at(pub).SendHWM = 1000
	}
	p.at(pub).Closes = p.oneIn(4)
	var subs []int
	for range 1 + p.IntN(3) {
		subs = append(subs, p.socket(to, zmqsafe.SUB))
	}
	p.connect([]int{pub}, subs)
	f := p.flow(Flow{Kind: Copies, From: []int{pub}, To: subs})
	p.send(f, 2, Worker{})
	p.receive(f, 2, Worker{})
}

func (p *planner) conflate() {
	from, to := p.contextPair()
	types := pick(p.Rand, [2]zmqsafe.Type{zmqsafe.PUSH, zmqsafe.PULL}, [2]zmqsafe.Type{zmqsafe.PUB, zmqsafe.SUB})
	out, in := p.socket(from, types[0]), p.socket(to, types[1])
	p.at(out).Conflate, p.at(in).Conflate = p.oneIn(2), true
	if types[0] == zmqsafe.PUB {
		p.at(out).SendHWM = 0 // or it may drop the last message
	}
	p.connect([]int{out}, []int{in})
	f := p.flow(Flow{Kind: Latest, From: []int{out}, To: []int{in}})
	p.send(f, 1, Worker{Parts: 1})
	p.receive(f, 1, Worker{})
}

// What isn't received soon enough. It is sent by context 0, which is closed
// first, and whose lingers run out.

func (p *planner) short(socket int) {
	s := p.at(socket)
	s.Linger = pick(p.Rand, -1, 20*time.Millisecond, 100*time.Millisecond, 200*time.Millisecond)
}

func (p *planner) nobody() {
	s := p.socket(0, pick(p.Rand, zmqsafe.PUSH, zmqsafe.DEALER, zmqsafe.PAIR))
	p.at(s).Nowhere = true
	p.short(s)
	f := p.flow(Flow{Kind: Once, From: []int{s}})
	p.send(f, 2, Worker{Patience: 100 * time.Millisecond})
}

func (p *planner) stalled() {
	push, pull := p.socket(0, zmqsafe.PUSH), p.socket(1, zmqsafe.PULL)
	p.short(push)
	for _, s := range []int{push, pull} {
		p.at(s).SendHWM, p.at(s).ReceiveHWM, p.at(s).Buffer = pick(p.Rand, 10, 100), pick(p.Rand, 10, 100), 4096
	}
	p.connect([]int{push}, []int{pull})
	f := p.flow(Flow{Kind: Once, From: []int{push}, To: []int{pull}})
	p.send(f, 2, Worker{Messages: 2000, Size: 1000, Patience: 100 * time.Millisecond})
	p.receive(f, 1, Worker{Stall: 1 + p.IntN(50)})
}

// left is received in part.
func (p *planner) left() {
	push, pull := p.socket(0, zmqsafe.PUSH), p.socket(1, zmqsafe.PULL)
	p.at(pull).ReceiveHWM, p.at(pull).Settles = 0, p.leaves && !p.interrupts
	p.connect([]int{push}, []int{pull})
	f := p.flow(Flow{Kind: Once, From: []int{push}, To: []int{pull}})
	p.send(f, 2, Worker{Messages: 20 + p.IntN(700), Size: 1000})
	p.receive(f, 2, Worker{Stall: 1 + p.IntN(100)})
}

// detached is sent by a socket that is detached now and then.
func (p *planner) detached() {
	t := pick(p.Rand, [2]zmqsafe.Type{zmqsafe.PUSH, zmqsafe.PULL}, [2]zmqsafe.Type{zmqsafe.DEALER, zmqsafe.DEALER})
	out, in := p.socket(0, t[0]), p.socket(1, t[1])
	p.at(out).Linger = pick(p.Rand, -1, 100*time.Millisecond, time.Second)
	p.connect([]int{out}, []int{in})
	f := p.flow(Flow{Kind: Once, From: []int{out}, To: []int{in}})
	p.send(f, 2, Worker{Messages: 500 + p.IntN(2000), Size: 1000})
	p.receive(f, 1, Worker{})
	p.worker(Worker{Role: Detach, Socket: out, Out: -1, In: -1, Messages: 1 + p.IntN(5)})
}
