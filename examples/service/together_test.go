package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/shutdown"
	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
	"github.com/zmqsafe/zmq-exit/zmqsafe/zmqsafetest"
)

// What package shutdown guarantees together with zmqsafe. The peers have a
// context of their own, which isn't in the group.

func TestBlockedReceiversAreWokenByTheContextOfTheGroup(t *testing.T) {
	const workers = 50
	g, zctx := newGroup(t)
	pull := bind(t, zctx, zmq.PULL)
	ends := make(chan error, workers)
	for i := range workers {
		require.NoError(t, g.Go("worker", func(ctx context.Context) (err error) {
			defer func() { ends <- err }()
			if i%2 == 0 {
				_, err = pull.RecvMessageContext(ctx, 0)
				return err
			}
			for _, err := range pull.Messages(ctx) {
				return err
			}
			return nil
		}))
	}
	require.Eventually(t, func() bool { return zctx.Sockets()[0].Waiting.Receives == workers }, limit, time.Millisecond)

	g.Stop()
	for range workers { // nobody has called Run yet, so nobody closes anything
		assert.ErrorIs(t, <-ends, context.Canceled)
	}
	assert.Zero(t, zctx.Report(), "the context of ZeroMQ is open")
	require.NoError(t, g.Run(context.Background()))
	assert.True(t, zctx.Report().Done)
	assert.Zero(t, zctx.Report().Sockets[0].Waiting, "closing it woke nobody")
}

func TestATakenMessageIsFinished(t *testing.T) {
	const workers, messages = 4, 20
	g, zctx := newGroup(t)
	jobs, results := bind(t, zctx, zmq.PULL), bind(t, zctx, zmq.PUSH)
	peers := zmqsafetest.NewContext(t)
	source, sink := connect(t, peers, zmq.PUSH, jobs), connect(t, peers, zmq.PULL, results)
	taken, finish := make(chan string, workers), make(chan struct{})
	for range workers {
		require.NoError(t, g.Go("worker", func(ctx context.Context) error {
			for message, err := range jobs.Messages(ctx) {
				if err != nil {
					return err
				}
				taken <- string(message[0])
				<-finish
				if _, err := results.SendMessage(message); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for i := range messages {
		_, err := source.Send(strconv.Itoa(i), 0)
		require.NoError(t, err)
	}
	var want, got []string
	for range workers {
		want = append(want, <-taken)
	}
	g.Stop()
	ended := make(chan error)
	go func() { ended <- g.Run(context.Background()) }()
	<-g.Context().Done()
	close(finish)
	require.NoError(t, <-ended)

	for range workers {
		result, err := sink.Recv(0)
		require.NoError(t, err)
		got = append(got, result)
	}
	assert.ElementsMatch(t, want, got, "each is finished")
	assert.Empty(t, taken, "and no other is begun")
	for _, s := range zctx.Report().Sockets {
		assert.EqualValues(t, workers, s.Received+s.Accepted, "%v: what was counted", s)
	}
}

func TestWhatSendAcceptedIsDeliveredInWhatIsLeft(t *testing.T) {
	const messages = 900
	g, zctx := newGroup(t)
	g.Timeout = limit
	out := newSocket(t, zctx, zmq.PUSH)
	require.NoError(t, out.SetSndbuf(loadBuffer))
	require.NoError(t, out.Bind("tcp://127.0.0.1:*"))
	peers := zmqsafetest.NewContext(t)
	sink := newSocket(t, peers, zmq.PULL)
	require.NoError(t, sink.SetRcvhwm(1))
	require.NoError(t, sink.SetRcvbuf(loadBuffer))
	require.NoError(t, sink.Connect(endpoint(t, out)))
	require.NoError(t, g.Go("worker", func(context.Context) error {
		for range messages {
			if _, err := out.SendBytes(make([]byte, loadSize), 0); err != nil {
				return err
			}
		}
		return nil // the last worker: its end is a cause to stop
	}))
	ended := make(chan error, 1)
	go func() { ended <- g.Run(context.Background()) }()
	require.Eventually(t, func() bool { return len(zctx.Sockets()) == 0 }, limit, time.Millisecond)

	assert.Empty(t, ended, "the group waits for the peer, which has read nothing")
	receive(t, sink, messages)
	require.NoError(t, <-ended)
	report := zctx.Report()
	assert.Empty(t, report.RanOut())
	lingered, finite := report.Sockets[0].EffectiveLinger.Duration()
	assert.True(t, finite, "forever ends with the deadline")
	assert.Less(t, lingered, limit)
	assert.Greater(t, lingered, limit/2)
}

func TestWhatIsNotTakenInTimeIsNamed(t *testing.T) {
	zctx := zmqsafetest.NewContext(t)
	g := &shutdown.Group{Signals: []os.Signal{}, Logger: slog.New(slog.DiscardHandler), Timeout: limit}
	require.NoError(t, g.Add("zmq", shutdown.Func(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second) // the group has longer: a busy machine may be late
		defer cancel()
		return zctx.Shutdown(ctx)
	})))
	out := newSocket(t, zctx, zmq.PUSH)
	dead := listen(t)
	require.NoError(t, out.Connect("tcp://"+dead.Addr().String()))
	require.NoError(t, g.Go("worker", func(context.Context) error {
		_, err := out.Send("unsent", 0)
		return err
	}))
	err := g.Run(context.Background())
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.Equal(t, shutdown.StatusDeadline, shutdown.ExitStatus(err))
	var step *shutdown.Error
	require.True(t, errors.As(err, &step))
	assert.Equal(t, "zmq", step.Name)
	assert.Regexp(t, "unsent messages may be lost: .*PUSH socket made at service/together_test.go:.*"+dead.Addr().String(), err.Error())
	_ = zctx.Shutdown(context.Background()) // waits for the end
	assert.Len(t, zctx.Report().RanOut(), 1)
}

// newGroup returns a group with a context, like that of the service.
func newGroup(t *testing.T) (*shutdown.Group, *zmq.Context) {
	t.Helper()
	zctx := zmqsafetest.NewContext(t)
	g := &shutdown.Group{Signals: []os.Signal{}, Logger: slog.New(slog.DiscardHandler)}
	require.NoError(t, g.Add("zmq", zctx))
	return g, zctx
}

// newSocket makes a socket that lives as long as the test, which may count on
// it without using it: the package would close one that is no longer
// referenced.
func newSocket(t *testing.T, zctx *zmq.Context, typ zmq.Type) *zmq.Socket {
	t.Helper()
	soc, err := zctx.NewSocket(typ)
	require.NoError(t, err)
	t.Cleanup(func() { runtime.KeepAlive(soc) })
	require.NoError(t, soc.SetRcvtimeo(limit))
	return soc
}

func bind(t *testing.T, zctx *zmq.Context, typ zmq.Type) *zmq.Socket {
	t.Helper()
	soc := newSocket(t, zctx, typ)
	require.NoError(t, soc.Bind("tcp://127.0.0.1:*"))
	return soc
}

func connect(t *testing.T, peers *zmq.Context, typ zmq.Type, to *zmq.Socket) *zmq.Socket {
	t.Helper()
	soc := newSocket(t, peers, typ)
	require.NoError(t, soc.Connect(endpoint(t, to)))
	return soc
}

func endpoint(t *testing.T, soc *zmq.Socket) string {
	t.Helper()
	endpoint, err := soc.GetLastEndpoint()
	require.NoError(t, err)
	return endpoint
}
