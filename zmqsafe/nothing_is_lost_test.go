package zmqsafe

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var stressOps = flag.Int("stress.ops", 1_200_000, "operations in TestStress; a tenth of it with -short")

// TestStress looks for the worst mistakes: a lost wake-up, a lost or torn
// message, a call on a closed socket, a close that hangs.
//
// Each round uses one context. Goroutines share a few sockets and send,
// receive, poll, read options, cancel and time out at random. Halfway, other
// goroutines close some of the round's sockets, and at the end the context is
// closed. Every message carries its number, so that the messages accepted can
// be compared with those that arrived: on the sockets that stayed open each
// message arrives exactly once, whole, and in its sender's order.
func TestStress(t *testing.T) {
	want := int64(*stressOps)
	if testing.Short() {
		want /= 10
	}
	var ops, messages int64
	for round := 0; ops < want; round++ {
		s := &stress{t: t, rng: uint64(round)}
		s.run()
		ops += s.ops.Load()
		messages += s.accepted.Load()
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d operations, %d messages, all accounted for", ops, messages)
}

const (
	stressSenders   = 4
	stressReceivers = 3
	stressMessages  = 1500 // for each sender
)

type stress struct {
	t             *testing.T
	rng           uint64
	ops, accepted atomic.Int64
}

// run is one round.
func (s *stress) run() {
	ctx := newContext(s.t, WithCloseTimeout(limit))
	transport := []string{"inproc://stress", "tcp://127.0.0.1:*"}[s.rng%2]
	// The queues are small, so that both directions wait all the time.
	out, in := newSocket(s.t, ctx, DEALER), newSocket(s.t, ctx, DEALER)
	for _, soc := range []*Socket{out, in} {
		require.NoError(s.t, soc.SetSndhwm(8))
		require.NoError(s.t, soc.SetRcvhwm(8))
	}
	require.NoError(s.t, in.Bind(transport))
	endpoint, err := in.GetLastEndpoint()
	require.NoError(s.t, err)
	require.NoError(s.t, out.Connect(endpoint))

	stop, stopNoise := context.WithCancel(context.Background())
	defer stopNoise()
	var noise sync.WaitGroup
	if s.rng%3 == 0 { // not always: each such call wakes all waiters, and so hides a lost wake-up
		noise.Go(func() { s.readOptions(stop, out) })
		noise.Go(func() { s.readOptions(stop, in) })
	}
	noise.Go(func() { s.openAndClose(stop, ctx) })

	// Both sockets send and receive at once.
	bounded(s.t, "stress round", func() {
		var wg sync.WaitGroup
		wg.Go(func() { s.stream(out, in) })
		wg.Go(func() { s.stream(in, out) })
		wg.Wait()
	})

	// At the end every goroutine is in the middle of a call when the context is
	// closed.
	var last sync.WaitGroup
	for _, soc := range []*Socket{in, out, in} {
		last.Go(func() {
			for {
				if _, err := soc.Recv(0); err != nil {
					assert.Contains(s.t, []error{ETERM, ErrorSocketClosed}, err)
					return
				}
			}
		})
	}
	last.Go(func() {
		p := newPollerOf(POLLIN, in, out)
		for {
			if _, err := p.Poll(-1); err != nil {
				assert.Contains(s.t, []error{ETERM, ErrorSocketClosed}, err)
				return
			}
		}
	})
	if s.rng%3 == 0 {
		last.Go(func() { assert.NoError(s.t, in.Close()) })
	}
	bounded(s.t, "Close", func() { assert.NoError(s.t, ctx.Close()) })
	stopNoise()
	bounded(s.t, "goroutines after Close", func() { last.Wait(); noise.Wait() })
}

// stream sends from one socket to the other with several goroutines at each
// end, and accounts for every message.
func (s *stress) stream(from, to *Socket) {
	var senders, receivers sync.WaitGroup
	canSend, canReceive := newPollerOf(POLLOUT, from), newPollerOf(POLLIN, to)
	for id := range stressSenders {
		senders.Go(func() { s.send(from, canSend, id) })
	}
	seen := make([]atomic.Int32, stressSenders*stressMessages)
	var left atomic.Int64
	left.Store(stressSenders * stressMessages)
	done, finish := context.WithCancel(context.Background())
	defer finish()
	for i := range stressReceivers {
		receivers.Go(func() { s.receive(done, finish, to, canReceive, i, seen, &left) })
	}
	senders.Wait()
	receivers.Wait()
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			s.t.Errorf("message %d of sender %d arrived %d times", i%stressMessages, i/stressMessages, n)
			return
		}
	}
}

// send sends messages of 1 to 4 parts; each part says which message it belongs
// to.
func (s *stress) send(soc *Socket, p *Poller, id int) {
	rng := rand.New(rand.NewPCG(s.rng, uint64(id)))
	for n := 0; n < stressMessages; {
		parts := make([][]byte, 1+rng.IntN(4))
		for i := range parts {
			part := make([]byte, 12+rng.IntN(8)*rng.IntN(300))
			binary.BigEndian.PutUint32(part, uint32(id*stressMessages+n))
			binary.BigEndian.PutUint32(part[4:], uint32(i))
			binary.BigEndian.PutUint32(part[8:], uint32(len(parts)))
			parts[i] = part
		}
		err := s.sendOnce(soc, p, rng, parts)
		s.ops.Add(1)
		switch {
		case err == nil:
			n++
			s.accepted.Add(1)
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), AsErrno(err) == Errno(syscall.EAGAIN):
		default:
			s.t.Errorf("send: %v", err)
			return
		}
	}
}

func (s *stress) sendOnce(soc *Socket, p *Poller, rng *rand.Rand, parts [][]byte) (err error) {
	switch rng.IntN(5) {
	case 0:
		_, err = soc.SendMessageDontwait(parts)
	case 1:
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rng.IntN(200))*time.Microsecond)
		defer cancel()
		_, err = soc.SendMessageContext(ctx, parts)
	case 2:
		if _, err = p.Poll(-1); err == nil {
			_, err = soc.SendMessageDontwait(parts)
		}
	default:
		_, err = soc.SendMessage(parts)
	}
	return err
}

func (s *stress) receive(done context.Context, finish func(), soc *Socket, p *Poller, i int, seen []atomic.Int32, left *atomic.Int64) {
	rng := rand.New(rand.NewPCG(s.rng, uint64(100+i)))
	last := make(map[int]int)
	for done.Err() == nil {
		parts, err := s.receiveOnce(done, soc, p, rng)
		s.ops.Add(1)
		switch {
		case err == nil:
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), AsErrno(err) == Errno(syscall.EAGAIN):
			continue
		default:
			s.t.Errorf("receive: %v", err)
			finish()
			return
		}
		message, err := whole(parts)
		if err != nil {
			s.t.Error(err)
			finish()
			return
		}
		seen[message].Add(1)
		sender, n := message/stressMessages, message%stressMessages
		if previous, ok := last[sender]; ok && n <= previous {
			s.t.Errorf("message %d of sender %d after %d", n, sender, previous)
		}
		last[sender] = n
		if left.Add(-1) == 0 {
			finish()
		}
	}
}

func (s *stress) receiveOnce(done context.Context, soc *Socket, p *Poller, rng *rand.Rand) ([][]byte, error) {
	switch rng.IntN(5) {
	case 0:
		return soc.RecvMessageBytes(DONTWAIT)
	case 1:
		ctx, cancel := context.WithTimeout(done, time.Duration(rng.IntN(200))*time.Microsecond)
		defer cancel()
		return soc.RecvMessageBytesContext(ctx, 0)
	case 2:
		if _, err := p.PollContext(done); err != nil {
			return nil, err
		}
		return soc.RecvMessageBytes(DONTWAIT)
	}
	return soc.RecvMessageBytesContext(done, 0)
}

// whole returns the number of a message, if all its parts belong to it.
func whole(parts [][]byte) (int, error) {
	first := binary.BigEndian.Uint32(parts[0])
	for i, part := range parts {
		message, index, count := binary.BigEndian.Uint32(part), binary.BigEndian.Uint32(part[4:]), binary.BigEndian.Uint32(part[8:])
		if message != first || int(index) != i || int(count) != len(parts) {
			return 0, fmt.Errorf("torn message: part %d of %d says it is part %d of %d of message %d, the first says %d",
				i, len(parts), index, count, message, first)
		}
	}
	return int(first), nil
}

// readOptions makes calls that empty the mailbox on which all waiters depend.
func (s *stress) readOptions(stop context.Context, soc *Socket) {
	for stop.Err() == nil {
		_, err := soc.GetEvents()
		if err == nil {
			_, err = soc.GetRcvhwm()
		}
		s.ops.Add(2)
		if err != nil {
			assert.Contains(s.t, []error{ETERM, ErrorSocketClosed}, err)
			return
		}
		timer := time.NewTimer(50 * time.Microsecond)
		<-timer.C
	}
}

// openAndClose opens sockets next to the others, and closes them while they
// receive.
func (s *stress) openAndClose(stop context.Context, ctx *Context) {
	for stop.Err() == nil {
		soc, err := ctx.NewSocket(SUB)
		s.ops.Add(1)
		if AsErrno(err) == Errno(syscall.EMFILE) {
			continue // libzmq's reaper hasn't freed the closed sockets yet
		}
		if err != nil {
			assert.Equal(s.t, ErrorContextClosed, err)
			return
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				_, err := soc.Recv(0)
				assert.Contains(s.t, []error{ETERM, ErrorSocketClosed}, err)
			})
		}
		_ = soc.SetSubscribe("x")
		_ = soc.Connect("tcp://127.0.0.1:1")
		assert.NoError(s.t, soc.Close())
		s.ops.Add(5)
		wg.Wait()
		timer := time.NewTimer(time.Millisecond) // leaves libzmq's threads time for the rest
		<-timer.C
	}
}
