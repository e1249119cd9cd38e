package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// hazard is one way in which a ZeroMQ program dies, hangs or loses messages
// when it ends. Raw and Guarded are the same program, once on pebbe/zmq4 and
// once on zmqsafe. Each takes over the process it runs in and may kill it.
type hazard struct {
	ID      string       `json:"id"`
	Title   string       `json:"title"`
	Explain string       `json:"explain"`
	Raw     func() error `json:"-"`
	Guarded func() error `json:"-"`

	// Busy says that the programs keep every core busy, or take most of the
	// threads that a system has. They run alone, so that they do not disturb
	// the others.
	Busy bool `json:"-"`

	// Prepare, if it isn't nil, makes once in dir, a directory that doesn't exist
	// yet, what takes too long for each run. The programs find it as
	// preparedVariable. A skipError says that this system can't.
	Prepare  func(ctx context.Context, dir string) error `json:"-"`
	prepared string                                      // dir
	missing  string                                      // the reason of Prepare's skipError
}

var hazards = []hazard{
	fdSweep,
	strayClose,
	closeWhileRecv,
	sharedSocket,
	termOpenSocket,
	infiniteLinger,
	exitAfterSend,
	monitorClose,
	socketLimit,
	droppedContext,
	proxyStop,
	authStop,
	cHostExit,
	sigterm,
	slowDNS,
	blockedThreads,
}

// mode says which of a hazard's two programs is meant.
type mode string

const (
	raw     mode = "raw"
	guarded mode = "guarded"
)

func (h hazard) program(m mode) func() error {
	if m == raw {
		return h.Raw
	}
	return h.Guarded
}

func findHazard(id string) (hazard, error) {
	i := slices.IndexFunc(hazards, func(h hazard) bool { return h.ID == id })
	if i < 0 {
		return hazard{}, fmt.Errorf("unknown hazard %q: the hazards are %s", id, idList())
	}
	return hazards[i], nil
}

func idList() string {
	ids := make([]string, len(hazards))
	for i, h := range hazards {
		ids[i] = h.ID
	}
	return strings.Join(ids, ", ")
}

// lostError is what a hazard's program returns when messages are missing.
type lostError struct{ lost, of int }

func (e lostError) Error() string { return fmt.Sprintf("lost %d of %d", e.lost, e.of) }

// skipError is what a hazard's program or Prepare returns when this system can't show it. What
// is missing, and how to have it, is the reason.
type skipError struct{ reason string }

func (e skipError) Error() string { return "skipped: " + e.reason }

// settle is how long the programs give a goroutine to get from Go into a
// blocking call of libzmq, which nothing outside that call can observe.
const settle = 100 * time.Millisecond

// closedPort returns a tcp endpoint on this machine at which nobody listens.
func closedPort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return "tcp://" + l.Addr().String(), l.Close()
}
