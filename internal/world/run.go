package world

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// Limits bound one run. All are of a machine that hangs, not of one that is
// slow.
type Limits struct {
	// Quiet is after what time without a message nobody waits any longer for
	// those that must still come.
	Quiet time.Duration
}

// runs numbers the runs, so that no message of one is taken for one of another,
// not even of another process.
var runs atomic.Uint32

func init() { runs.Store(rand.Uint32()) }

// address is where a run has its ports. Another run's socket may still connect
// to a port that has become free.
func address(run uint32) string {
	return fmt.Sprintf("127.%d.%d.%d", byte(run>>16), byte(run>>8), 1+run%254)
}

// Run executes a plan in children, one for each process that it may use, and
// returns what [Check] compares. Sockets of ipc are made in dir. An error means
// that a child is gone or hangs, or that a socket can't be made.
func Run(p Plan, children []*Child, dir string, limits Limits) (*Counts, error) {
	r := &run{plan: &p, children: children, number: runs.Add(1), limits: limits, counts: newCounts()}
	steps := []func() error{func() error { return r.open(dir) }, r.awaitSubscribers, r.awaitSenders, r.end, r.collect}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return &r.counts, nil
}

// run is a plan that is being executed.
type run struct {
	plan     *Plan
	children []*Child
	number   uint32
	limits   Limits
	counts   Counts // so far
}

func (r *run) call(context int, method string, args, reply any) error {
	if err := r.children[r.plan.Contexts[context].Process].call(method, args, reply); err != nil {
		return fmt.Errorf("context %d: %w", context, err)
	}
	return nil
}

func (r *run) at(context int) Place { return Place{r.number, context} }

func (r *run) each(method string) error {
	for i := range r.plan.Contexts {
		if err := r.call(i, method, r.at(i), new(bool)); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) open(dir string) error {
	endpoints := map[int]string{}
	for i := range r.plan.Contexts {
		var bound map[int]string
		if err := r.call(i, "Open", Opening{r.at(i), *r.plan, dir}, &bound); err != nil {
			return err
		}
		maps.Copy(endpoints, bound)
	}
	for i := range r.plan.Contexts {
		if err := r.call(i, "Start", Starting{r.at(i), endpoints}, new(bool)); err != nil {
			return err
		}
	}
	return nil
}

// progress asks all contexts what they have counted.
func (r *run) progress() error {
	r.counts.Faults = nil
	return r.count("Progress")
}

func (r *run) count(method string) error {
	for i := range r.plan.Contexts {
		var c Counts
		if err := r.call(i, method, r.at(i), &c); err != nil {
			return err
		}
		r.counts.add(c)
	}
	return nil
}

// await waits until something is so, or nothing has moved for too long: not
// only for Quiet, but also each of a hundred times that it looked, in case it
// is this process that gets no time.
func (r *run) await(so func() bool) (err error) {
	const every, least = time.Millisecond, 100
	moved, before, looks := time.Now(), -1, 0
	for {
		if err := r.progress(); err != nil || so() {
			return err
		}
		looks++
		if now := r.counts.moved(); now != before {
			moved, before, looks = time.Now(), now, 0
		}
		if looks > least && time.Since(moved) > r.limits.Quiet {
			return nil
		}
		time.Sleep(every)
	}
}

// moved is a number that grows with every message.
func (c *Counts) moved() (n int) {
	for _, s := range c.Sent {
		n += s.Accepted
		if s.Done {
			n++
		}
	}
	for _, got := range c.Received {
		for _, s := range got.Streams {
			n += s.Count
		}
	}
	return n
}

// awaitSubscribers waits until every subscriber has had a probe of every
// publisher. Then all begin to send.
func (r *run) awaitSubscribers() error {
	here := false
	err := r.await(func() bool {
		here = true
		for i, f := range r.plan.Flows {
			for _, to := range f.To {
				if subscribes(r.plan.Sockets[to].Type) {
					here = here && r.probed(i, to)
				}
			}
		}
		return here
	})
	if err == nil && !here {
		err = fmt.Errorf("subscriptions haven't arrived: %v", r.counts.Faults)
	}
	if err != nil {
		return err
	}
	return r.each("Ready")
}

func (r *run) probed(flow, to int) bool {
	for _, stream := range r.plan.senders(flow) {
		if !slices.ContainsFunc(r.plan.receivers(flow, []int{to}), func(w int) bool { return r.counts.Received[w].Probes[stream] > 0 }) {
			return false
		}
	}
	return true
}

// awaitSenders waits until all senders are done, or until it is time to
// interrupt them.
func (r *run) awaitSenders() error {
	done := false
	err := r.await(func() bool {
		done = true
		for i, w := range r.plan.Workers {
			if w.Role == Send || w.Role == Ask {
				done = done && r.counts.Sent[i].Done
			}
		}
		return done || r.plan.Interrupt > 0 && r.counts.Total() >= r.plan.Interrupt
	})
	if err == nil && !done && r.plan.Interrupt == 0 {
		before := r.counts
		if err := r.poke(); err != nil {
			return err
		}
		return fmt.Errorf("senders don't get on: %v\nsent %+v\nreceived %+v\nand after a look at the sockets' events: sent %+v",
			before.Faults, before.Sent, before.received(), r.counts.Sent)
	}
	return err
}

// poke reads the events of all sockets, which wakes those whose wake-up was
// lost, and counts again.
func (r *run) poke() error {
	r.counts = newCounts()
	if err := r.each("Poke"); err != nil {
		return err
	}
	time.Sleep(100 * time.Millisecond)
	return r.progress()
}

// end closes the contexts, in the order of the plan. After a wait in vain it
// doesn't wait again.
func (r *run) end() error {
	complete := true
	for i, e := range r.plan.Ends {
		waits := complete
		err := r.await(func() bool {
			complete = r.complete(e)
			return complete || !waits
		})
		if err != nil {
			return err
		}
		var reply EndReply
		if err := r.call(e.Context, "End", Ending{r.at(e.Context), e}, &reply); err != nil {
			return err
		}
		r.counts.Ended = append(r.counts.Ended, reply.Ended)
		for socket, said := range reply.Said {
			r.counts.Said[socket] = said
		}
		if i == 0 {
			if err := r.release(); err != nil {
				return err
			}
		}
	}
	return nil
}

// release lets those go on who rest, if their context waits for them.
func (r *run) release() error {
	for _, e := range r.plan.Ends[1:] {
		if !e.In {
			continue
		}
		if err := r.call(e.Context, "Release", r.at(e.Context), new(bool)); err != nil {
			return err
		}
	}
	return nil
}

// complete reports whether everything has been received that is waited for
// before an end.
func (r *run) complete(e End) bool {
	a := account{plan: r.plan, counts: &r.counts}
	for i, f := range r.plan.Flows {
		if (e.In && r.plan.anyIn(f.To, e.Context) || e.Out && r.plan.anyIn(f.From, e.Context)) && r.plan.promised(i) && !a.complete(i) {
			return false
		}
	}
	return true
}

// collect gets the final counts.
func (r *run) collect() error {
	said, ended := r.counts.Said, r.counts.Ended
	r.counts = newCounts()
	r.counts.Said, r.counts.Ended = said, ended
	return r.count("Counts")
}

func subscribes(t zmqsafe.Type) bool { return t == zmqsafe.SUB || t == zmqsafe.XSUB }
