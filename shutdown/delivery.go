package shutdown

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/trace"
	"time"

	"github.com/zmqsafe/zmq-exit/shutdown/tcplinger"
)

// Delivery says how [Main] waited for what the kernel had to deliver for TCP
// connections of the program.
type Delivery struct {
	Connections int           // that had undelivered data after the last step
	Undelivered int           // of these, connections that still had when the wait was over
	Took        time.Duration // how long the wait was
	Timeout     time.Duration // how long it may be
	Err         error         // why it isn't known
}

// deliveryTime is how long to wait for deliveries.
var deliveryTime = time.Second // tests change it

// networkEnds reports whether the network of this process ends with it: it is
// process 1 of a container, or a child of that, which then is an init and ends,
// too. The number of the host's namespace is PROC_PID_INIT_INO in
// include/linux/proc_ns.h of the kernel.
func networkEnds() bool {
	if os.Getpid() == 1 {
		return true
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	return os.Getppid() == 1 && err == nil && namespace != "pid:[4026531836]"
}

// noteConnectionsLocked notes whose deliveries Main must wait for. It is called
// before workers and steps close connections.
func (g *Group) noteConnectionsLocked() {
	if g.setup == nil || g.own == nil && !networkEnds() {
		return
	}
	if g.own == nil {
		g.own = new(tcplinger.Own)
	}
	g.unknown = errors.Join(g.unknown, g.own.Note())
}

// deliver waits for what the kernel has to send, in the time that is left. It
// says when that isn't enough, which is no failure: the program has no part in
// it.
func (d *takedown) deliver() {
	g := d.g
	g.mu.Lock()
	own, unknown := g.own, g.unknown
	g.mu.Unlock()
	if own == nil || d.set.noTCPLinger {
		return
	}
	left := time.Until(d.deadline)
	r := d.awaitKernel(own, max(min(deliveryTime, left-margin(left)), 0))
	r.Err = errors.Join(unknown, r.Err)
	g.mu.Lock()
	d.delivery = &r
	g.mu.Unlock()
	if r.Undelivered > 0 || r.Err != nil {
		g.log(func(log *slog.Logger) {
			log.Warn("shutdown: TCP connections may have undelivered data, which is lost if their network ends with this process",
				"connections", r.Undelivered, "waited", short(r.Took), "error", text(r.Err))
		})
	}
}

func (d *takedown) awaitKernel(own *tcplinger.Own, bound time.Duration) Delivery {
	ctx, cancel := context.WithTimeout(d.ctx, bound)
	defer cancel()
	defer trace.StartRegion(ctx, "delivery").End()
	began, result := time.Now(), make(chan Delivery, 1)
	go func() {
		had, have, err := own.Wait(ctx)
		result <- Delivery{Connections: had, Undelivered: have, Err: err}
	}()
	r, ok := wait(d, result, d.deadline, 1)
	if !ok {
		r.Err = errors.New("no time was left")
	}
	r.Took, r.Timeout = time.Since(began), bound
	return r
}

// String returns the result in one line.
func (d Delivery) String() string {
	switch {
	case d.Err != nil:
		return "not known: " + plain(d.Err)
	case d.Undelivered > 0:
		return fmt.Sprintf("connections: %d, undelivered: %d", d.Connections, d.Undelivered)
	case d.Connections > 0:
		return fmt.Sprintf("connections: %d, all delivered", d.Connections)
	}
	return "nothing to deliver"
}

// MarshalJSON writes a Delivery as it is in the JSON of a [Report].
func (d Delivery) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Connections int    `json:"connections"`
		Undelivered int    `json:"undelivered"`
		Took        string `json:"took"`
		Timeout     string `json:"timeout"`
		Error       string `json:"error,omitempty"`
	}{d.Connections, d.Undelivered, d.Took.String(), d.Timeout.String(), text(d.Err)})
}
