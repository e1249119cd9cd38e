package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/cmd/internal/explain"
)

// hazard is a hazard with its programs. Raw and Guarded are the same program,
// once on pebbe/zmq4 and once on zmqsafe. Each takes over the process that it
// runs in and may kill it.
type hazard struct {
	explain.Hazard
	Raw     func() error `json:"-"`
	Guarded func() error `json:"-"`

	// Busy says that the programs keep every core busy, or take most of the
	// threads that a system has. They run alone, so that they don't disturb the
	// others.
	Busy bool `json:"-"`

	// Prepare, if it isn't nil, makes once what takes too long for each run, in
	// dir, a directory that doesn't exist yet. The programs find dir in the
	// environment, as preparedVariable. Prepare returns a skipError if this
	// system lacks something.
	Prepare  func(ctx context.Context, dir string) error `json:"-"`
	prepared string                                      // dir
	missing  string                                      // the reason of Prepare's skipError
}

// hazards are listed and run in this order.
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

// mode is one of a hazard's two programs.
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

// lostError is what a hazard's program returns if messages are missing.
type lostError struct{ lost, of int }

func (e lostError) Error() string { return fmt.Sprintf("lost %d of %d", e.lost, e.of) }

// skipError is what a hazard's program or Prepare returns if this system can't
// show the hazard. The reason tells what is missing, and how to get it.
type skipError struct{ reason string }

func (e skipError) Error() string { return "skipped: " + e.reason }

// contextOf is what a program needs of a context of either package. A hazard
// whose Raw and Guarded differ in nothing but the package has one program for
// both, which takes what NewContext returns.
type contextOf[S any] interface {
	NewSocket(zmq4.Type) (S, error)
	SetMaxSockets(int) error
	Term() error
}

// socket is what a program needs of a socket of either package.
type socket interface {
	Bind(endpoint string) error
	Connect(endpoint string) error
	GetLastEndpoint() (string, error)
	GetFd() (int, error)
	ServerAuthPlain(domain string) error
	ClientAuthPlain(user, password string) error
	Monitor(endpoint string, events zmq4.Event) error
	SetLinger(time.Duration) error
	SetReconnectIvl(time.Duration) error
	SetRcvtimeo(time.Duration) error
	Send(string, zmq4.Flag) (int, error)
	Recv(zmq4.Flag) (string, error)
	RecvMessage(zmq4.Flag) ([]string, error)
	RecvEvent(zmq4.Flag) (event zmq4.Event, endpoint string, value int, err error)
	Close() error
}

// settle is how long the programs give a goroutine to get from Go into a
// blocking call of libzmq. Nothing outside that call can observe it.
const settle = 100 * time.Millisecond

// closedPort returns a tcp endpoint on this machine at which nobody listens.
func closedPort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return "tcp://" + l.Addr().String(), l.Close()
}

// bind binds a new socket to a free tcp port of this machine, or closes it.
func bind[S socket](sock S, err error) (_ S, endpoint string, _ error) {
	if err != nil {
		return sock, "", err
	}
	if err = sock.Bind("tcp://127.0.0.1:*"); err == nil {
		endpoint, err = sock.GetLastEndpoint()
	}
	if err != nil {
		sock.Close()
	}
	return sock, endpoint, err
}

// receiveAll receives n messages. If none comes for a while, it returns a
// lostError.
func receiveAll(sock *zmq4.Socket, n int, while time.Duration) error {
	if err := sock.SetRcvtimeo(while); err != nil {
		return err
	}
	for arrived := range n {
		_, err := sock.Recv(0)
		if zmq4.AsErrno(err) == zmq4.Errno(syscall.EAGAIN) {
			return lostError{lost: n - arrived, of: n}
		}
		if err != nil {
			return err
		}
	}
	return nil
}
