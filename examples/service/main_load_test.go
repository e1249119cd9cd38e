package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/shutdown"
	zmq "github.com/zmqsafe/zmq-exit/zmqsafe"
	"github.com/zmqsafe/zmq-exit/zmqsafe/zmqsafetest"
)

var loadRuns = flag.Int("load.runs", 5, "how often the load tests stop a service with each kind of peer; -short makes it 1")

// The service under load: each worker has sent on one socket, and is blocked in
// a receive of another.
const (
	loadWorkers = 50
	loadSockets = 2 * loadWorkers
	eachSends   = 200
	loadSends   = loadWorkers * eachSends
	loadSize    = 1024     // of a message
	loadBuffer  = 16 << 10 // of the kernel, for each end of a connection: small, so little fits
)

// loadMain is that service: load ENDPOINT-OF-THE-PEER TIMEOUT. It sends hello
// to the peer on each socket. A line on standard input makes it send the
// messages, and it prints a line when all are accepted.
func loadMain() {
	shutdown.Main(func(g *shutdown.Group) (err error) {
		if g.Timeout, err = time.ParseDuration(os.Args[2]); err != nil {
			return err
		}
		zctx, err := zmq.NewContext()
		if err != nil {
			return err
		}
		if err := g.Add("zmq", zctx); err != nil {
			return err
		}
		told := make(chan struct{})
		var accepted sync.WaitGroup
		for range loadWorkers {
			in, out, err := loadPair(zctx, os.Args[1])
			if err != nil {
				return err
			}
			accepted.Add(1)
			err = g.Go("worker", func(ctx context.Context) error {
				<-told
				err := sendLoad(ctx, out)
				accepted.Done()
				if err == nil {
					_, err = in.RecvMessageContext(ctx, 0)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
		go func() {
			_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
			close(told)
			accepted.Wait()
			fmt.Println("accepted", len(zctx.Sockets()))
		}()
		return nil
	})
}

func loadPair(zctx *zmq.Context, peer string) (in, out *zmq.Socket, err error) {
	if in, err = zctx.NewSocket(zmq.PULL); err == nil {
		err = in.Bind("tcp://127.0.0.1:*")
	}
	if err != nil {
		return nil, nil, err
	}
	if out, err = zctx.NewSocket(zmq.PUSH); err == nil {
		err = out.SetSndbuf(loadBuffer)
	}
	if err == nil {
		err = out.Connect(peer)
	}
	if err == nil {
		_, err = out.Send("hello", 0)
	}
	return in, out, err
}

func sendLoad(ctx context.Context, out *zmq.Socket) error {
	message := make([]byte, loadSize)
	for range eachSends {
		if _, err := out.SendBytesContext(ctx, message, 0); err != nil {
			return err
		}
	}
	return nil
}

// startLoad starts the service; it has sent nothing but hello.
func startLoad(t *testing.T, peer string, timeout time.Duration) (c *child, send func()) {
	t.Helper()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	c = startWith(t, "load", read, peer, timeout.String())
	require.NoError(t, read.Close())
	return c, func() {
		t.Helper()
		_, err := io.WriteString(write, "\n")
		require.NoError(t, err)
		require.NoError(t, write.Close())
		c.says(t, fmt.Sprintf("accepted %d", loadSockets))
	}
}

// newPuller returns a peer and its endpoint.
func newPuller(t *testing.T) (pull *zmq.Socket, endpoint string) {
	t.Helper()
	pull = newSocket(t, zmqsafetest.NewContext(t), zmq.PULL)
	require.NoError(t, pull.SetRcvhwm(1)) // so that libzmq reads little ahead
	require.NoError(t, pull.SetRcvbuf(loadBuffer))
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	return pull, endpoint
}

func receive(t *testing.T, pull *zmq.Socket, messages int) {
	t.Helper()
	for i := range messages {
		_, err := pull.RecvBytes(0)
		require.NoError(t, err, "message %d of %d", i+1, messages)
	}
}

// Aim: the exit comes at most 1 s after the peer has read the last message.
func TestLoadForALivePeer(t *testing.T) {
	var reads, exits, beyond durations
	for range rounds() {
		t.Run("run", func(t *testing.T) {
			pull, endpoint := newPuller(t)
			c, send := startLoad(t, endpoint, limit)
			receive(t, pull, loadWorkers) // hello
			send()
			began := time.Now()
			c.signal(t, syscall.SIGTERM)
			ended := make(chan time.Time)
			go func() { _, _ = io.Copy(&c.logged, c.stderr); ended <- time.Now() }() // the process is gone
			receive(t, pull, loadSends)
			read := time.Now()
			exit := <-ended
			c.end(t, 0)
			require.NoError(t, pull.SetRcvtimeo(0))
			_, err := pull.RecvBytes(0)
			assert.Equal(t, zmq.Errno(syscall.EAGAIN), err, "each message comes once")
			reads, exits, beyond = append(reads, read.Sub(began)), append(exits, exit.Sub(began)), append(beyond, exit.Sub(read))
		})
	}
	t.Logf("%d sockets, %d workers, %d messages of %d bytes; %d runs", loadSockets, loadWorkers, loadSends, loadSize, rounds())
	t.Logf("SIGTERM until the peer has read the last: %v", reads)
	t.Logf("SIGTERM until exit: %v", exits)
	t.Logf("exit after the last was read: %v", beyond)
	assert.Less(t, slices.Max(append(beyond, 0)), limit/2) // not the deadline, however busy the machine is
}

// Aim: the exit comes at most 0.2 s after the deadline.
func TestLoadForADeadPeer(t *testing.T) {
	const timeout = time.Second
	peers := map[string]func(t *testing.T) (endpoint string, hear func()){
		"closed port": func(t *testing.T) (string, func()) {
			listener := listen(t)
			require.NoError(t, listener.Close())
			return "tcp://" + listener.Addr().String(), func() {}
		},
		"accepts and says nothing": func(t *testing.T) (string, func()) {
			return "tcp://" + listen(t).Addr().String(), func() {} // the kernel accepts
		},
		"greets and reads nothing": func(t *testing.T) (string, func()) {
			pull, endpoint := newPuller(t)
			return endpoint, func() { receive(t, pull, loadWorkers) }
		},
	}
	for name, peer := range peers {
		t.Run(name, func(t *testing.T) {
			var exits durations
			over := 0
			for range rounds() {
				t.Run("run", func(t *testing.T) {
					endpoint, hear := peer(t)
					c, send := startLoad(t, endpoint, timeout)
					hear()
					send()
					began := time.Now()
					c.signal(t, syscall.SIGTERM)
					exit := c.end(t, shutdown.StatusDeadline).Sub(began)
					// On a busy system some sockets may still be open,
					// or it may be too late to say more.
					assert.Regexp(t, "unsent messages may be lost: |still open|left behind", c.logged.String())
					if exits = append(exits, exit); exit > timeout+200*time.Millisecond {
						over++
					}
				})
			}
			t.Logf("SIGTERM until exit, with a deadline of %v: %v; more than 0.2 s over: %d of %d", timeout, exits, over, len(exits))
			assert.Less(t, slices.Max(append(exits, 0)), timeout+limit/2)
		})
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func rounds() int {
	if testing.Short() {
		return 1
	}
	return *loadRuns
}

type durations []time.Duration

func (d durations) String() string {
	if len(d) == 0 {
		return "none"
	}
	sorted := slices.Sorted(slices.Values(d))
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	return fmt.Sprintf("min %v, median %v, max %v", ms(sorted[0]), ms(sorted[len(d)/2]), ms(sorted[len(d)-1]))
}
