package zmqsafe

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newPullers returns n bound PULLs and a PUSH connected to each.
func newPullers(t testing.TB, n int) (pulls, pushes []*Socket) {
	ctx := newContext(t)
	require.NoError(t, ctx.SetMaxSockets(2*n))
	for i := range n {
		pull, push := newPair(t, ctx, PULL, PUSH, fmt.Sprintf("%s-%d", inproc(t), i))
		pulls, pushes = append(pulls, pull), append(pushes, push)
	}
	return pulls, pushes
}

func newPollerOf(events State, sockets ...*Socket) *Poller {
	p := NewPoller()
	for _, soc := range sockets {
		p.Add(soc, events)
	}
	return p
}

func sendText(t testing.TB, soc *Socket, text string) {
	t.Helper()
	_, err := soc.Send(text, 0)
	require.NoError(t, err)
}

func TestPollReturnsWhatIsReadyInOrder(t *testing.T) {
	pulls, pushes := newPullers(t, 4)
	p := newPollerOf(POLLIN, pulls...)
	polled, err := p.Poll(0)
	require.NoError(t, err)
	require.NotNil(t, polled)
	require.Empty(t, polled)

	sendText(t, pushes[3], "d")
	sendText(t, pushes[1], "b")
	for range 3 { // as long as the message isn't received
		polled, err = p.Poll(-1)
		require.NoError(t, err)
		require.Equal(t, []Polled{{pulls[1], POLLIN}, {pulls[3], POLLIN}}, polled)
	}
	all, err := p.PollAll(-1)
	require.NoError(t, err)
	require.Equal(t, []Polled{{pulls[0], 0}, {pulls[1], POLLIN}, {pulls[2], 0}, {pulls[3], POLLIN}}, all)

	_, err = pulls[1].Recv(0)
	require.NoError(t, err)
	polled, err = p.Poll(-1)
	require.NoError(t, err)
	require.Equal(t, []Polled{{pulls[3], POLLIN}}, polled)
}

// Sockets that are ready are found without waiting, however many they are.
func TestPollOfManyReadySockets(t *testing.T) {
	const n = 300
	pulls, pushes := newPullers(t, n)
	p := newPollerOf(POLLIN, pulls...)
	for range rounds(10) {
		polled, err := p.Poll(0)
		require.NoError(t, err)
		require.Empty(t, polled)
		for _, push := range pushes {
			sendText(t, push, "x")
		}
		polled, err = p.Poll(0)
		require.NoError(t, err)
		require.Len(t, polled, n)
		for _, pull := range pulls {
			_, err := pull.Recv(DONTWAIT)
			require.NoError(t, err)
		}
	}
}

// A done context wins over a ready socket.
func TestPollWithDoneContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	polled, err := newPollerOf(POLLOUT, newSocket(t, newContext(t), PUB)).PollContext(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []Polled{}, polled)
}

func TestPollTimeout(t *testing.T) {
	pulls, _ := newPullers(t, 2)
	p := newPollerOf(POLLIN, pulls...)
	for _, timeout := range []time.Duration{0, time.Microsecond, 30 * time.Millisecond} {
		start := time.Now()
		polled, err := p.Poll(timeout)
		require.NoError(t, err)
		require.Empty(t, polled)
		require.GreaterOrEqual(t, time.Since(start), timeout)
		all, err := p.PollAll(timeout)
		require.NoError(t, err)
		require.Equal(t, []Polled{{pulls[0], 0}, {pulls[1], 0}}, all)
	}
}

func TestPollOfNothing(t *testing.T) {
	for _, p := range []*Poller{NewPoller(), new(Poller)} {
		bounded(t, "Poll", func() {
			polled, err := p.Poll(-1)
			require.NoError(t, err)
			require.Empty(t, polled)
			polled, err = p.PollAll(-1)
			require.NoError(t, err)
			require.Empty(t, polled)
		})
		require.Equal(t, "Poller[]", p.String())
	}
}

func TestPollerUpdateAndRemove(t *testing.T) {
	pulls, pushes := newPullers(t, 3)
	var p Poller
	for i, pull := range pulls {
		require.Equal(t, i, p.Add(pull, 0))
		sendText(t, pushes[i], "x")
	}
	polled, err := p.Poll(0)
	require.NoError(t, err)
	require.Empty(t, polled, "no events are waited for")

	previous, err := p.Update(1, POLLIN)
	require.NoError(t, err)
	require.Zero(t, previous)
	previous, err = p.UpdateBySocket(pulls[2], POLLIN|POLLOUT)
	require.NoError(t, err)
	require.Zero(t, previous)
	polled, err = p.Poll(-1)
	require.NoError(t, err)
	require.Equal(t, []Polled{{pulls[1], POLLIN}, {pulls[2], POLLIN}}, polled)
	previous, err = p.Update(2, POLLIN)
	require.NoError(t, err)
	require.Equal(t, POLLIN|POLLOUT, previous)

	require.NoError(t, p.Remove(0))
	require.NoError(t, p.RemoveBySocket(pulls[2]))
	all, err := p.PollAll(-1)
	require.NoError(t, err)
	require.Equal(t, []Polled{{pulls[1], POLLIN}}, all)
	require.Equal(t, fmt.Sprintf("Poller[%v%v]", pulls[1], POLLIN), p.String())

	for _, id := range []int{-1, 1, 99} {
		_, err = p.Update(id, POLLIN)
		require.ErrorIs(t, err, ErrorNoSocket)
		require.ErrorIs(t, p.Remove(id), ErrorNoSocket)
	}
	_, err = p.UpdateBySocket(pulls[0], POLLIN)
	require.ErrorIs(t, err, ErrorNoSocket)
	require.ErrorIs(t, p.RemoveBySocket(pulls[0]), ErrorNoSocket)
	require.ErrorIs(t, p.RemoveBySocket(nil), ErrorNoSocket)
}

func TestPollOutAfterRoom(t *testing.T) {
	ctx := newContext(t)
	pull, push := newSocket(t, ctx, PULL), newSocket(t, ctx, PUSH)
	require.NoError(t, push.SetSndhwm(1))
	require.NoError(t, pull.SetRcvhwm(1))
	p := newPollerOf(POLLOUT, push)
	polled, err := p.Poll(0)
	require.NoError(t, err)
	require.Empty(t, polled, "nobody to send to")
	require.NoError(t, pull.Bind(inproc(t)))
	require.NoError(t, push.Connect(inproc(t)))
	for range 1000 {
		bounded(t, "Poll", func() {
			polled, err = p.Poll(-1)
			require.NoError(t, err)
			require.Equal(t, []Polled{{push, POLLOUT}}, polled)
		})
		for err == nil {
			_, err = push.Send("x", DONTWAIT)
		}
		polled, err = p.Poll(0)
		require.NoError(t, err)
		require.Empty(t, polled)
		for err == nil {
			_, err = pull.Recv(DONTWAIT)
		}
	}
}

// Everything with which a program can end another goroutine's Poll.
func TestPollIsEnded(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(zctx *Context, soc *Socket, cancel func())
		want error
	}{
		"Close of a socket":   {func(_ *Context, soc *Socket, _ func()) { _ = soc.Close() }, ErrorSocketClosed},
		"Term":                {func(zctx *Context, _ *Socket, _ func()) { _ = zctx.Term() }, ETERM},
		"the context is done": {func(_ *Context, _ *Socket, cancel func()) { cancel() }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			zctx := newContext(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			p := newPollerOf(POLLIN, newSocket(t, zctx, PULL), newSocket(t, zctx, PULL), newSocket(t, zctx, PULL))
			const pollers = 3
			errs := make(chan error, pollers)
			for range pollers {
				go func() {
					_, err := p.PollContext(ctx)
					errs <- err
				}()
			}
			waitUntilPolling(t, p)
			c.end(zctx, p.list.items[1].soc, cancel)
			for range pollers {
				require.ErrorIs(t, waitFor(t, "Poll", errs), c.want)
			}
			polled, err := p.PollContext(ctx)
			require.ErrorIs(t, err, c.want, "and it stays so")
			require.Empty(t, polled)
		})
	}
}

// waitUntilPolling returns when a Poll has checked all sockets in vain and is
// about to wait.
func waitUntilPolling(t testing.TB, p *Poller) {
	t.Helper()
	require.Eventually(t, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, item := range p.list.items {
			if item.s.waiting().Polls == 0 {
				return false
			}
		}
		return true
	}, limit, time.Millisecond)
}

func TestPollGoesOnWithoutTheClosedSocket(t *testing.T) {
	pulls, pushes := newPullers(t, 2)
	p := newPollerOf(POLLIN, pulls...)
	require.NoError(t, pulls[0].Close())
	_, err := p.Poll(-1)
	require.ErrorIs(t, err, ErrorSocketClosed)
	require.NoError(t, p.RemoveBySocket(pulls[0]))
	sendText(t, pushes[1], "x")
	polled, err := p.Poll(-1)
	require.NoError(t, err)
	require.Equal(t, []Polled{{pulls[1], POLLIN}}, polled)
}

// Sockets of several contexts, one of which ends: the poll fails until its
// sockets are removed, and goes on with the others.
func TestPollOfSeveralContexts(t *testing.T) {
	const n = 3
	var contexts []*Context
	var pulls, pushes []*Socket
	for range n {
		ctx := newContext(t)
		pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
		contexts, pulls, pushes = append(contexts, ctx), append(pulls, pull), append(pushes, push)
	}
	p := newPollerOf(POLLIN, pulls...)
	expect := func(want ...Polled) {
		t.Helper()
		polled, err := p.Poll(0)
		require.NoError(t, err)
		require.ElementsMatch(t, want, polled)
	}
	expect()
	for i := range n {
		sendText(t, pushes[i], "x")
		expect(Polled{pulls[i], POLLIN})
		_, err := pulls[i].Recv(0)
		require.NoError(t, err)
		expect()
	}
	waiting := poll(t, p)
	require.NoError(t, contexts[1].Close())
	require.Equal(t, pollResult{[]Polled{}, ETERM}, waitFor(t, "Poll", waiting))
	sendText(t, pushes[0], "x")
	for range 3 {
		_, err := p.PollAll(0)
		require.Equal(t, ETERM, err)
	}
	require.NoError(t, p.RemoveBySocket(pulls[1]))
	expect(Polled{pulls[0], POLLIN})
	sendText(t, pushes[2], "x")
	expect(Polled{pulls[0], POLLIN}, Polled{pulls[2], POLLIN})
}

// One closed socket makes Poll fail, whatever else is ready. If its context is
// closed later, the error still says that the program closed the socket.
func TestPollOfClosedSocketAmongReadyOnes(t *testing.T) {
	pulls, pushes := newPullers(t, 3)
	p := newPollerOf(POLLIN, pulls...)
	for _, push := range pushes {
		sendText(t, push, "x")
	}
	require.NoError(t, pulls[1].Close())
	for range 2 {
		polled, err := p.Poll(-1)
		require.Equal(t, ErrorSocketClosed, err)
		require.Equal(t, []Polled{}, polled)
		all, err := p.PollAll(-1)
		require.Equal(t, ErrorSocketClosed, err)
		require.Equal(t, []Polled{}, all)
	}
	require.NoError(t, p.Remove(0))
	require.NoError(t, p.Remove(1))
	ctx, err := pulls[0].Context()
	require.NoError(t, err)
	require.NoError(t, ctx.Close())
	_, err = p.Poll(0)
	require.Equal(t, ErrorSocketClosed, err)
}

// A Poll that can't be woken fails.
func TestPollWithoutEpoll(t *testing.T) {
	ctx := newContext(t, WithLogger(slog.New(slog.DiscardHandler))) // the waker may log the error, too
	first, second := newSocket(t, ctx, PULL), newSocket(t, ctx, PULL)
	p := newPollerOf(POLLIN, first)
	_, err := p.Poll(0)
	require.NoError(t, err)
	epoll := epollOf(t, first.s.fd)
	kept, err := syscall.Dup(epoll)
	require.NoError(t, err)
	require.NoError(t, syscall.Close(epoll))
	defer func() {
		require.NoError(t, syscall.Dup3(kept, epoll, syscall.O_CLOEXEC))
		require.NoError(t, syscall.Close(kept))
	}()
	bounded(t, "Poll", func() {
		_, err = p.Poll(-1)
		require.ErrorIs(t, err, syscall.EBADF)
		_, err = newPollerOf(POLLIN, second).Poll(-1)
		require.ErrorIs(t, err, syscall.EBADF)
	})
}

// Add, Update and Remove, each while a Poll waits that nothing else can end.
func TestPollerChangesWhilePolling(t *testing.T) {
	pulls, pushes := newPullers(t, 2)
	p := newPollerOf(0, pulls[0])
	poll := func() <-chan []Polled {
		waiting := make(chan []Polled, 1)
		go func() {
			polled, err := p.Poll(-1)
			assert.NoError(t, err)
			waiting <- polled
		}()
		waitUntilPolling(t, p)
		return waiting
	}
	sendText(t, pushes[0], "x")
	sendText(t, pushes[1], "x")

	waiting := poll()
	_, err := p.Update(0, POLLIN)
	require.NoError(t, err)
	require.Equal(t, []Polled{{pulls[0], POLLIN}}, waitFor(t, "Poll after Update", waiting))

	_, err = p.UpdateBySocket(pulls[0], 0)
	require.NoError(t, err)
	waiting = poll()
	require.Equal(t, 1, p.Add(pulls[1], POLLIN))
	require.Equal(t, []Polled{{pulls[1], POLLIN}}, waitFor(t, "Poll after Add", waiting))

	require.NoError(t, p.RemoveBySocket(pulls[1]))
	waiting = poll()
	require.NoError(t, p.Remove(0))
	require.Empty(t, waitFor(t, "Poll after Remove of all", waiting))
}

// A common way to stop a poll loop: a PAIR over inproc.
func TestPairStopsPollLoop(t *testing.T) {
	ctx := newContext(t)
	work, jobs := newPair(t, ctx, PULL, PUSH, inproc(t))
	told, stop := newPair(t, ctx, PAIR, PAIR, inproc(t)+"-stop")
	done := make(chan int)
	go func() {
		received := 0
		defer func() { done <- received }()
		p := newPollerOf(POLLIN, work, told)
		for {
			polled, err := p.Poll(-1)
			if !assert.NoError(t, err) {
				return
			}
			for _, item := range polled {
				_, err := item.Socket.Recv(0)
				assert.NoError(t, err)
				if item.Socket == told {
					return
				}
				received++
			}
		}
	}()
	for range 100 {
		sendText(t, jobs, "job")
	}
	require.Eventually(t, func() bool { // the PULL has received everything
		events, err := work.GetEvents()
		return err == nil && events&POLLIN == 0
	}, limit, time.Millisecond)
	sendText(t, stop, "")
	require.Equal(t, 100, waitFor(t, "the loop", done))
}

// Here only a notification ends a wait. Several goroutines poll the same
// sockets, with one Poller and with separate ones, others receive without
// polling, and every message is answered before the next is sent.
func TestNoWakeupIsLostPolling(t *testing.T) {
	const sockets, pollers = 5, 3
	messages := rounds(10_000)
	for _, shared := range []bool{true, false} {
		ctx := newContext(t)
		var servers, clients []*Socket
		for i := range sockets {
			server, client := newPair(t, ctx, PAIR, PAIR, fmt.Sprintf("%s-%d", inproc(t), i))
			servers, clients = append(servers, server), append(clients, client)
		}
		stop, cancel := context.WithCancel(context.Background())
		common := newPollerOf(POLLIN, servers...)
		var serving, asking sync.WaitGroup
		for range pollers {
			serving.Go(func() {
				p := common
				if !shared {
					p = newPollerOf(POLLIN, servers...)
				}
				for {
					polled, err := p.PollContext(stop)
					if err != nil {
						assert.ErrorIs(t, err, context.Canceled)
						return
					}
					for _, item := range polled {
						answer(t, item.Socket)
					}
				}
			})
		}
		serving.Go(func() { // a goroutine that doesn't poll
			for {
				if _, err := servers[0].RecvContext(stop, 0); err != nil {
					assert.ErrorIs(t, err, context.Canceled)
					return
				}
				_, err := servers[0].Send("pong", 0)
				assert.NoError(t, err)
			}
		})
		for _, client := range clients {
			asking.Go(func() {
				for range messages / sockets {
					if _, err := client.Send("ping", 0); !assert.NoError(t, err) {
						return
					}
					if _, err := client.Recv(0); !assert.NoError(t, err) {
						return
					}
				}
			})
		}
		bounded(t, "polled ping-pong", asking.Wait)
		cancel()
		bounded(t, "pollers", serving.Wait)
	}
}

// answer receives a message, unless another goroutine already has, and answers
// it.
func answer(t *testing.T, soc *Socket) {
	switch _, err := soc.Recv(DONTWAIT); err {
	case nil:
		_, err := soc.Send("pong", 0)
		assert.NoError(t, err)
	case errAgain:
	default:
		assert.NoError(t, err)
	}
}

func TestPollFiveThousandSockets(t *testing.T) {
	const n = 5000
	var limits syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limits))
	if limits.Cur < n+200 {
		t.Skipf("needs %d descriptors, and the limit is %d (ulimit -n)", n+200, limits.Cur)
	}
	ctx := newContext(t)
	require.NoError(t, ctx.SetMaxSockets(n+1))
	push := newSocket(t, ctx, PUSH)
	p := NewPoller()
	pulls := make([]*Socket, n)
	for i := range pulls {
		pulls[i] = newSocket(t, ctx, PULL)
		endpoint := fmt.Sprintf("%s-%d", inproc(t), i)
		require.NoError(t, pulls[i].Bind(endpoint))
		require.NoError(t, push.Connect(endpoint))
		p.Add(pulls[i], POLLIN)
	}
	queued := p.queue().Len
	require.Eventually(t, func() bool { // the events of Bind and Connect are processed
		polled, err := p.Poll(0)
		return err == nil && len(polled) == 0 && queued() == 0
	}, limit, time.Millisecond)
	for i := range pulls { // a PUSH takes its peers in turn
		sendText(t, push, "x")
		polled, err := p.Poll(-1)
		require.NoError(t, err)
		require.Equal(t, []Polled{{pulls[i], POLLIN}}, polled)
		require.LessOrEqual(t, queued(), 2, "a poll looks at those to which something happened")
		_, err = pulls[i].Recv(0)
		require.NoError(t, err)
	}
}

var globalPoller Poller

func TestGlobalPoller(t *testing.T) {
	pulls, pushes := newPullers(t, 1)
	globalPoller.Add(pulls[0], POLLIN)
	sendText(t, pushes[0], "x")
	polled, err := globalPoller.Poll(-1)
	require.NoError(t, err)
	require.Len(t, polled, 1)
	require.NoError(t, globalPoller.Remove(0))
}

func TestPolledSocketIsStillFoundLeaked(t *testing.T) {
	leaksAtOnce(t, func() {
		var log syncBuffer
		ctx, err := NewContextWith(WithLogger(log.logger()))
		require.NoError(t, err)
		func() {
			soc, err := ctx.NewSocket(PULL)
			require.NoError(t, err)
			_, err = newPollerOf(POLLIN, soc).Poll(0)
			require.NoError(t, err)
		}()
		eventuallyCollected(t, func() bool { return len(ctx.Sockets()) == 0 })
		assert.Contains(t, log.line(t, socketLeaked)["socket"], "PULL")
		require.NoError(t, ctx.Close())
	})
}
