package zmqsafe

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pebbe/zmq4"
	"github.com/stretchr/testify/require"
)

// Polling is level-triggered, as in pebbe/zmq4: a random sequence of operations
// on one goroutine returns the same with both.
func TestPollerIsLikeRaw(t *testing.T) {
	for seed := range rounds(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			ctx, rawCtx := newContext(t), newRawContext(t)
			guarded := &pollWorld[*Socket, Polled]{
				poller: NewPoller(),
				open:   func(p Polled) (*Socket, State) { return p.Socket, p.Events },
			}
			raw := &pollWorld[*zmq4.Socket, zmq4.Polled]{
				poller: zmq4.NewPoller(),
				open:   func(p zmq4.Polled) (*zmq4.Socket, State) { return p.Socket, p.Events },
				raw:    true,
			}
			for _, typ := range pollWorldTypes {
				guarded.sockets = append(guarded.sockets, newSocket(t, ctx, typ))
				raw.sockets = append(raw.sockets, newRawSocket(t, rawCtx, typ))
			}
			guarded.begin(t)
			raw.begin(t)
			rng := rand.New(rand.NewPCG(uint64(seed), 0))
			var history []string
			for range 500 {
				op := randomPollOp(rng)
				got, want := guarded.do(op), raw.do(op)
				if want != "" {
					history = append(history, fmt.Sprintf("%+v: %s", op, want))
				}
				if got != want {
					t.Fatalf("got %s after\n%s", got, strings.Join(history[max(0, len(history)-30):], "\n"))
				}
			}
		})
	}
}

// Socket i is connected to socket i^1. The first of the two is bound.
var pollWorldTypes = []Type{
	PULL, PUSH,
	PAIR, PAIR,
	ROUTER, DEALER,
	DEALER, DEALER,
	REP, REQ,
	PUB, SUB,
}

// pollWorld is a Poller and its sockets, of zmqsafe or pebbe/zmq4.
type pollWorld[S rawOrGuarded, P any] struct {
	sockets []S
	poller  anyPoller[S, P]
	open    func(P) (S, State)
	raw     bool
}

type rawOrGuarded interface {
	*zmq4.Socket | *Socket
	pollable
	Bind(string) error
	Connect(string) error
	Disconnect(string) error
	SetSndhwm(int) error
	SetRcvhwm(int) error
	SetIdentity(string) error
	SetSubscribe(string) error
	GetEvents() (State, error)
	SendMessageDontwait(...any) (int, error)
	Send(string, Flag) (int, error)
	Recv(Flag) (string, error)
}

type anyPoller[S, P any] interface {
	Add(S, State) int
	Update(int, State) (State, error)
	UpdateBySocket(S, State) (State, error)
	Remove(int) error
	RemoveBySocket(S) error
	Poll(time.Duration) ([]P, error)
	PollAll(time.Duration) ([]P, error)
}

func (w *pollWorld[S, P]) begin(t *testing.T) {
	for i, soc := range w.sockets {
		hwm := 2
		if pollWorldTypes[i] == SUB || pollWorldTypes[i] == ROUTER {
			hwm = 0 // they read ahead when their events are read, so what fits depends on who reads them
		}
		require.NoError(t, soc.SetSndhwm(hwm))
		require.NoError(t, soc.SetRcvhwm(hwm))
		require.NoError(t, soc.SetIdentity(fmt.Sprint(i)))
		endpoint := fmt.Sprintf("inproc://%d", i/2)
		if i%2 == 0 {
			require.NoError(t, soc.Bind(endpoint))
		} else {
			require.NoError(t, soc.Connect(endpoint))
		}
	}
	for _, soc := range w.sockets { // from here on a ROUTER knows its peer
		_, err := soc.GetEvents()
		require.NoError(t, err)
	}
}

type pollOp struct {
	what   string
	socket int
	id     int
	events State
	n      int
}

func randomPollOp(rng *rand.Rand) pollOp {
	whats := []string{
		"send", "send", "send", "send", "send part", "recv", "recv", "recv", "poll", "poll", "poll all", "poll all",
		"add", "update", "update socket", "remove", "remove socket", "events", "subscribe", "connect", "disconnect", "wait",
	}
	return pollOp{
		what:   whats[rng.IntN(len(whats))],
		socket: rng.IntN(len(pollWorldTypes)),
		id:     rng.IntN(12) - 1,
		events: []State{0, POLLIN, POLLIN, POLLOUT, POLLIN | POLLOUT}[rng.IntN(5)],
		n:      rng.IntN(1000),
	}
}

func (w *pollWorld[S, P]) do(op pollOp) string {
	soc, typ := w.sockets[op.socket], pollWorldTypes[op.socket]
	endpoint := fmt.Sprintf("inproc://%d", op.socket/2)
	result := func(v any, err error) string {
		if err != nil {
			v = nil
		}
		return fmt.Sprint(v, AsErrno(err), errors.Is(err, ErrorNoSocket))
	}
	switch op.what {
	case "send", "send part":
		if drops := typ == PUB || typ == ROUTER; w.raw || drops {
			_, _ = soc.GetEvents() // otherwise it notices its peers only about once a millisecond
		}
		switch {
		case typ == ROUTER:
			return result(soc.SendMessageDontwait(fmt.Sprint(op.socket^1), fmt.Sprint(op.n)))
		case typ == PUSH:
			return result(soc.Send("x", DONTWAIT)) // after a disconnect there are two pipes, read in no certain order
		case op.what == "send":
			return result(soc.Send(fmt.Sprint(op.n), DONTWAIT))
		}
		return result(soc.Send(fmt.Sprint(op.n), DONTWAIT|SNDMORE))
	case "recv":
		return result(soc.Recv(DONTWAIT))
	case "events":
		return result(soc.GetEvents())
	case "poll":
		return w.polled(w.poller.Poll(0))
	case "poll all":
		return w.polled(w.poller.PollAll(0))
	case "wait":
		if op.n < 100 {
			return w.polled(w.poller.Poll(time.Millisecond))
		}
	case "add":
		return fmt.Sprint(w.poller.Add(soc, op.events))
	case "update":
		return result(w.poller.Update(op.id, op.events))
	case "update socket":
		return result(w.poller.UpdateBySocket(soc, op.events))
	case "remove":
		return result(nil, w.poller.Remove(op.id))
	case "remove socket":
		return result(nil, w.poller.RemoveBySocket(soc))
	case "subscribe":
		if typ == SUB {
			return result(nil, soc.SetSubscribe(""))
		}
	case "connect":
		if typ == PUSH {
			return result(nil, soc.Connect(endpoint))
		}
	case "disconnect":
		if typ == PUSH {
			return result(nil, soc.Disconnect(endpoint))
		}
	}
	return ""
}

func (w *pollWorld[S, P]) polled(polled []P, err error) string {
	if err != nil {
		return err.Error()
	}
	text := fmt.Sprint(polled == nil)
	for _, p := range polled {
		soc, events := w.open(p)
		for i := range w.sockets {
			if w.sockets[i] == soc {
				text += fmt.Sprintf(" %d%v", i, events)
			}
		}
	}
	return text
}
