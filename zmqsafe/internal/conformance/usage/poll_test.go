package usage_test

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	zmq4 "github.com/zmqsafe/zmq-exit/zmqsafe"
)

// A poll loop that is told to end over an inproc PAIR.
func TestUsagePairStopsPollLoop(t *testing.T) {
	ctx := newContext(t)
	work := open(t, ctx, zmq4.PULL, "@tcp://127.0.0.1:*")
	push := open(t, ctx, zmq4.PUSH, bound(t, work))
	control := open(t, ctx, zmq4.PAIR, "@inproc://control")
	received := make(chan string)
	wait := start(t, func() {
		stop := open(t, ctx, zmq4.PAIR, ">inproc://control")
		defer stop.Close()
		poller := zmq4.NewPoller()
		poller.Add(work, zmq4.POLLIN)
		poller.Add(stop, zmq4.POLLIN)
		for {
			polled, err := poller.Poll(-1)
			if !assert.NoError(t, err) {
				return
			}
			for _, item := range polled {
				message, err := item.Socket.Recv(0)
				assert.NoError(t, err)
				switch item.Socket {
				case work:
					received <- message
				case stop:
					_, err := stop.Send("stopped "+message, 0)
					assert.NoError(t, err)
					return
				}
			}
		}
	})
	for i := range 3 {
		message := fmt.Sprint("job ", i)
		_, err := push.Send(message, 0)
		require.NoError(t, err)
		require.Equal(t, message, <-received)
	}
	_, err := control.Send("now", 0)
	require.NoError(t, err)
	answer, err := control.Recv(0)
	require.NoError(t, err)
	assert.Equal(t, "stopped now", answer)
	wait()
	closeAll(t, ctx, control, push, work)
}

// A socket is closed while another goroutine polls it.
func TestUsageCloseWhilePolling(t *testing.T) {
	needsGuard(t, "aborts in zmq_poll, or goes on waiting")
	ctx := newContext(t)
	soc := open(t, ctx, zmq4.SUB, "@tcp://127.0.0.1:*")
	polling := make(chan struct{})
	wait := start(t, func() {
		poller := zmq4.NewPoller()
		poller.Add(soc, zmq4.POLLIN)
		_, err := poller.Poll(time.Millisecond)
		assert.NoError(t, err)
		close(polling)
		_, err = poller.Poll(-1)
		assert.Equal(t, zmq4.ErrorSocketClosed, err)
	})
	<-polling
	closeAll(t, ctx, soc)
	wait()
}

// ZMQ_FD in an epoll of the program's own, edge-triggered, with GetEvents after
// every operation.
func TestUsageGetFdInEpoll(t *testing.T) {
	ctx := newContext(t)
	server := open(t, ctx, zmq4.DEALER, "@tcp://127.0.0.1:*")
	client := open(t, ctx, zmq4.DEALER, bound(t, server))
	fd, err := server.GetFd()
	require.NoError(t, err)
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(t, err)
	defer syscall.Close(epoll)
	const edgeTriggered = syscall.EPOLLET & 0xffffffff
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | edgeTriggered, Fd: int32(fd)}
	require.NoError(t, syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event))

	const messages = 500
	wait := start(t, func() {
		for i := range messages {
			_, err := client.Send(fmt.Sprint(i), 0)
			assert.NoError(t, err)
			if i%100 == 0 {
				time.Sleep(time.Millisecond) // or all come with one edge
			}
		}
		for i := range messages {
			reply, err := client.Recv(0)
			assert.NoError(t, err)
			assert.Equal(t, fmt.Sprint("re: ", i), reply)
		}
	})
	for n := 0; n < messages; {
		events, err := server.GetEvents()
		require.NoError(t, err)
		if events&zmq4.POLLIN == 0 {
			ready, err := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), int(patience.Milliseconds()))
			if err == syscall.EINTR {
				continue
			}
			require.NoError(t, err)
			require.Equal(t, 1, ready, "no edge after %d messages", n)
			continue
		}
		message, err := server.Recv(zmq4.DONTWAIT)
		require.NoError(t, err)
		_, err = server.Send("re: "+message, 0)
		require.NoError(t, err)
		n++
	}
	wait()
	closeAll(t, ctx, client, server)
}

// A client that gives up on a reply, closes its socket, and asks again with a
// new one.
func TestUsageLazyPirate(t *testing.T) {
	ctx := newContext(t)
	server := open(t, ctx, zmq4.REP, "@tcp://127.0.0.1:*")
	endpoint := bound(t, server)
	gaveUp := make(chan struct{}, 100)
	wait := start(t, func() {
		defer server.Close()
		for i := 0; ; i++ {
			request, err := server.Recv(0)
			if err != nil {
				assert.Equal(t, zmq4.ETERM, zmq4.AsErrno(err))
				return
			}
			if i == 1 || i == 2 {
				<-gaveUp
			}
			_, err = server.Send(request, 0)
			assert.NoError(t, err)
		}
	})
	client := open(t, ctx, zmq4.REQ, endpoint)
	for _, request := range []string{"one", "two", "three"} {
		for replied := false; !replied; {
			_, err := client.Send(request, 0)
			require.NoError(t, err)
			poller := zmq4.NewPoller()
			poller.Add(client, zmq4.POLLIN)
			polled, err := poller.Poll(50 * time.Millisecond)
			require.NoError(t, err)
			if len(polled) > 0 {
				reply, err := client.Recv(0)
				require.NoError(t, err)
				require.Equal(t, request, reply)
				replied = true
				continue
			}
			require.NoError(t, client.SetLinger(0))
			require.NoError(t, client.Close())
			gaveUp <- struct{}{}
			client = open(t, ctx, zmq4.REQ, endpoint)
		}
	}
	closeAll(t, ctx, client)
	wait()
}

// A broker that hands clients' requests to the worker that has waited longest.
func TestUsageWorkerQueue(t *testing.T) {
	ctx := newContext(t)
	frontend := open(t, ctx, zmq4.ROUTER, "@inproc://clients")
	backend := open(t, ctx, zmq4.ROUTER, "@inproc://workers")
	const workers, clients, requests = 3, 5, 20

	var peers sync.WaitGroup
	for i := range workers {
		worker := open(t, ctx, zmq4.REQ)
		require.NoError(t, worker.SetIdentity(fmt.Sprint("worker-", i)))
		require.NoError(t, worker.Connect("inproc://workers"))
		peers.Go(func() {
			defer worker.Close()
			_, err := worker.Send("READY", 0)
			assert.NoError(t, err)
			for {
				message, err := worker.RecvMessage(0) // client, empty, request
				if err != nil {
					assert.Equal(t, zmq4.ETERM, zmq4.AsErrno(err))
					return
				}
				_, err = worker.SendMessage(message[:2], "done "+message[2])
				assert.NoError(t, err)
			}
		})
	}
	var asking sync.WaitGroup
	for range clients {
		client := open(t, ctx, zmq4.REQ, ">inproc://clients")
		asking.Go(func() {
			defer client.Close()
			for i := range requests {
				_, err := client.Send(fmt.Sprint(i), 0)
				assert.NoError(t, err)
				reply, err := client.Recv(0)
				assert.NoError(t, err)
				assert.Equal(t, fmt.Sprint("done ", i), reply)
			}
		})
	}

	broker := start(t, func() {
		var free []string
		poller1, poller2 := zmq4.NewPoller(), zmq4.NewPoller()
		poller1.Add(backend, zmq4.POLLIN)
		poller2.Add(backend, zmq4.POLLIN)
		poller2.Add(frontend, zmq4.POLLIN)
		for answered := 0; answered < clients*requests; {
			poller := poller1
			if len(free) > 0 {
				poller = poller2
			}
			polled, err := poller.Poll(-1)
			if !assert.NoError(t, err) {
				return
			}
			for _, item := range polled {
				message, err := item.Socket.RecvMessage(0)
				assert.NoError(t, err)
				if item.Socket == backend {
					free = append(free, message[0])
					if message[2] != "READY" {
						_, err := frontend.SendMessage(message[2:])
						assert.NoError(t, err)
						answered++
					}
				} else {
					_, err := backend.SendMessage(free[0], "", message)
					assert.NoError(t, err)
					free = free[1:]
				}
			}
		}
	})
	broker()
	asking.Wait()
	closeAll(t, ctx, frontend, backend) // the workers get ETERM
	peers.Wait()
}
