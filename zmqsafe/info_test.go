package zmqsafe

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"regexp"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

func TestContexts(t *testing.T) {
	before := len(Contexts())
	ctx := newContext(t)
	soc := newSocket(t, ctx, PUSH)
	all := Contexts()
	require.Len(t, all, before+1)
	info := all[before]
	assert.Contains(t, info.Site, "main_test.go:")
	assert.WithinDuration(t, time.Now(), info.Created, limit)
	require.Len(t, info.Sockets, 1)
	assert.Equal(t, PUSH, info.Sockets[0].Type)
	assert.Zero(t, info.Report)
	_, err := json.Marshal(all)
	require.NoError(t, err)
	require.NoError(t, soc.Close())
	assert.Empty(t, Contexts()[before].Sockets)
	require.NoError(t, ctx.Close())
	assert.Len(t, Contexts(), before)
}

func TestContextsTellTheDefaultContext(t *testing.T) {
	newDefault(t)
	ctx := newContext(t)
	soc, err := NewSocket(PULL)
	require.NoError(t, err)
	defaults := make(map[string]bool)
	for _, info := range Contexts() {
		defaults[info.Site] = info.Default
	}
	assert.False(t, defaults[ctx.c.made.String()])
	own, err := soc.Context()
	require.NoError(t, err)
	assert.True(t, defaults[own.c.made.String()])
}

func TestSocketsListsWhatIsOpen(t *testing.T) {
	ctx := newContext(t)
	pull := newSocket(t, ctx, PULL)
	require.NoError(t, pull.Bind("tcp://127.0.0.1:*"))
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	push, err := ctx.NewSocket(PUSH)
	require.NoError(t, err)
	require.NoError(t, push.Connect("inproc://a"))
	sockets := ctx.Sockets()
	require.Len(t, sockets, 2)
	assert.Equal(t, []string{endpoint}, sockets[0].Endpoints)
	assert.Equal(t, PUSH, sockets[1].Type)
	assert.Regexp(t, `^zmqsafe/info_test\.go:\d+$`, sockets[1].Site)
	assert.True(t, strings.HasPrefix(sockets[1].String(), "PUSH socket made at zmqsafe/info_test.go:"))
	require.NoError(t, push.Close())
	assert.Len(t, ctx.Sockets(), 1)
}

// Whole messages are counted, whichever way they come and go.
func TestMessagesAreCounted(t *testing.T) {
	ctx := newContext(t)
	a, b := newPair(t, ctx, PAIR, PAIR, inproc(t))
	counts := func(soc *Socket) [2]uint64 { return counted(t, soc) }
	var n uint64
	for _, send := range []func() error{
		func() error { _, err := a.Send("x", 0); return err },
		func() error { _, err := a.SendBytes(nil, 0); return err },
		func() error { _, err := a.SendMessage("x", []byte("y"), []string{"1", "2"}); return err },
		func() error { _, err := a.SendMessageDontwait("x"); return err },
		func() error { _, err := a.Send("alone", 0); return err },
		func() error { _, err := a.Send("x", SNDMORE); return err },
	} {
		require.NoError(t, send())
		n++
	}
	assert.Equal(t, [2]uint64{n - 1, 0}, counts(a), "the last isn't whole")
	_, err := a.Send("y", 0)
	require.NoError(t, err)
	assert.Equal(t, [2]uint64{n, 0}, counts(a))
	_, err = a.SendMessage()
	require.NoError(t, err)
	assert.Equal(t, [2]uint64{n, 0}, counts(a), "nothing was sent")

	for i, receive := range []func() error{
		func() error { _, err := b.Recv(0); return err },
		func() error { _, err := b.RecvBytes(0); return err },
		func() error { _, err := b.RecvMessage(0); return err },
		func() error { _, _, err := b.RecvMessageWithMetadata(0); return err },
		func() error { _, _, err := b.RecvWithMetadata(0); return err },
		func() error { _, _, err := b.RecvWithMetadata(0); return err },
	} {
		require.NoError(t, receive())
		want := uint64(i + 1)
		if want == n {
			want-- // a part of two
		}
		assert.Equal(t, [2]uint64{0, want}, counts(b))
	}
	_, err = b.RecvInto(nil, 0)
	require.ErrorIs(t, err, EMSGSIZE)
	assert.Equal(t, [2]uint64{0, n - 1}, counts(b))
	_, err = b.RecvInto(make([]byte, 1), 0)
	require.NoError(t, err)
	assert.Equal(t, [2]uint64{0, n}, counts(b))

	_, err = a.SendMessage("1", "2")
	require.NoError(t, err)
	n++
	for _, want := range []uint64{n - 1, n} { // part by part
		_, err = b.RecvInto(make([]byte, 1), 0)
		require.NoError(t, err)
		assert.Equal(t, [2]uint64{0, want}, counts(b))
	}

	_, err = b.Recv(DONTWAIT)
	require.Error(t, err)
	_, err = newSocket(t, ctx, PUSH).Send("x", DONTWAIT)
	require.Error(t, err)
	assert.Equal(t, [2]uint64{0, n}, counts(b))
	assert.Zero(t, ctx.Sockets()[2].Accepted)
}

func TestProxiedMessagesAreCounted(t *testing.T) {
	ctx := newContext(t)
	frontend, push := newPair(t, ctx, PULL, PUSH, "inproc://front")
	backend, pull := newPair(t, ctx, PUSH, PULL, "inproc://back")
	capture, tap := newPair(t, ctx, PUSH, PULL, "inproc://capture")
	bound, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- ProxyContext(bound, frontend, backend, capture) }()
	const messages = 500
	for range messages {
		_, err := push.SendMessage("two", "parts")
		require.NoError(t, err)
		for _, soc := range []*Socket{pull, tap} {
			_, err = soc.RecvMessage(0)
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { return ctx.Sockets()[0].Waiting == Waiting{Polls: 1} }, limit, time.Millisecond)
	stop()
	require.ErrorIs(t, waitFor(t, "the proxy", done), context.Canceled)
	sockets := ctx.Sockets()
	assert.Equal(t, uint64(messages), sockets[0].Received)
	assert.Equal(t, uint64(messages), sockets[2].Accepted)
	assert.Equal(t, uint64(messages), sockets[4].Accepted)
	assert.Zero(t, sockets[0].Waiting)
}

// A message that a proxy captures and then can't send, or takes and must drop,
// is counted where it went.
func TestProxiedMessagesThatAreDroppedAreCounted(t *testing.T) {
	p := newProxied(t, PULL, ROUTER, PUSH, DEALER).withCapture(t, PUSH, PULL)
	require.NoError(t, p.back.SetRouterMandatory(1))
	_, err := p.sender.SendMessage("nobody", "x")
	require.NoError(t, err)
	p.run(t)
	require.Equal(t, EHOSTUNREACH, waitFor(t, "Proxy", p.ended))
	assert.Equal(t, [2]uint64{0, 1}, counted(t, p.front))
	assert.Equal(t, [2]uint64{0, 0}, counted(t, p.back))
	assert.Equal(t, [2]uint64{1, 0}, counted(t, p.capture))
}

// counted returns the messages that the socket has accepted and received.
func counted(t *testing.T, soc *Socket) [2]uint64 {
	t.Helper()
	require.NoError(t, soc.s.Lock())
	defer soc.s.Unlock(0)
	info := soc.s.infoLocked()
	return [2]uint64{info.Accepted, info.Received}
}

// A message that is put back is received when the program receives it.
func TestMessageInHandIsCountedOnce(t *testing.T) {
	p := newProxied(t, PULL, PUSH, PUSH, PULL)
	full := newSocket(t, p.ctx, PUSH) // nobody takes anything
	p.back = full
	_, err := p.sender.SendMessage("two", "parts")
	require.NoError(t, err)
	p.run(t)
	require.Eventually(t, func() bool { return p.ctx.Sockets()[4].Waiting.Polls == 1 }, limit, time.Millisecond)
	assert.Zero(t, counted(t, p.front))
	p.stop()
	require.ErrorIs(t, waitFor(t, "Proxy", p.ended), context.Canceled)
	assert.Zero(t, counted(t, p.front))
	for i := range 2 {
		_, err := p.front.Recv(DONTWAIT)
		require.NoError(t, err)
		assert.Equal(t, [2]uint64{0, uint64(i)}, counted(t, p.front))
	}
}

func TestWaitingIsCounted(t *testing.T) {
	ctx := newContext(t)
	soc := newSocket(t, ctx, DEALER)
	errs := make(chan error, 10)
	for range 3 {
		go func() { _, err := soc.Recv(0); errs <- err }()
	}
	for range 2 {
		go func() { _, err := soc.Send("x", 0); errs <- err }()
	}
	poller := NewPoller()
	poller.Add(soc, POLLIN)
	poller.Add(soc, POLLIN) // again
	for range 2 {
		go func() { _, err := poller.Poll(-1); errs <- err }()
	}
	reactor := NewReactor()
	reactor.AddSocket(soc, POLLIN, func(State) error { return nil })
	go func() { errs <- reactor.Run(-1) }()
	want := Waiting{Receives: 3, Sends: 2, Polls: 3}
	require.Eventually(t, func() bool { return ctx.Sockets()[0].Waiting == want }, limit, time.Millisecond, "%v", ctx.Sockets())
	assert.Equal(t, "3 receives, 2 sends, 3 polls", want.String())
	assert.Equal(t, "1 poll", Waiting{Polls: 1}.String())
	assert.Empty(t, Waiting{}.String())
	require.NoError(t, ctx.Close())
	for range 8 {
		require.ErrorIs(t, waitFor(t, "a call", errs), ETERM)
	}
	assert.Equal(t, want, ctx.Report().Sockets[0].Waiting)
}

func profileText(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, pprof.Lookup(ProfileName).WriteTo(&b, 1))
	return b.String()
}

// Stacks begin where the program called, not inside this package.
func TestProfileHasCreationStacks(t *testing.T) {
	newDefault(t)
	ctx := newContext(t)
	p := pprof.Lookup(ProfileName)
	require.NotNil(t, p)
	before := p.Count()
	makeThree := func() (sockets []*Socket) {
		for range 3 {
			soc, err := ctx.NewSocket(PUSH)
			require.NoError(t, err)
			sockets = append(sockets, soc)
		}
		return sockets
	}
	sockets := makeThree()
	defer runtime.KeepAlive(sockets) // the last one is only counted
	own, err := NewSocket(PULL)      // in the default context
	require.NoError(t, err)
	assert.Equal(t, before+4, p.Count())
	text := profileText(t)
	assert.Regexp(t, regexp.MustCompile(`(?m)^3 @ .*\n#\t0x[0-9a-f]+\t.*TestProfileHasCreationStacks\.func1\S*\t+\S*zmqsafe/info_test\.go:\d+$`), text)
	assert.Regexp(t, regexp.MustCompile(`(?m)^1 @ .*\n#\t0x[0-9a-f]+\t.*TestProfileHasCreationStacks\S*\t+\S*zmqsafe/info_test\.go:\d+$`), text)
	require.NoError(t, own.Close())
	require.NoError(t, sockets[0].Close())
	require.NoError(t, sockets[0].Close())
	assert.Equal(t, before+2, p.Count())
	require.NoError(t, sockets[1].SetLinger(-1)) // so zmq_close waits for a moment
	require.NoError(t, sockets[1].Close())
	assert.Equal(t, before+1, p.Count())
	assert.Len(t, ctx.Sockets(), 1)
	require.NoError(t, ctx.Close())
	assert.Equal(t, before, p.Count())
}

// A socket that its context closes while it is being made leaves nothing
// behind.
func TestProfileAndRacingClose(t *testing.T) {
	before := pprof.Lookup(ProfileName).Count()
	for range rounds(200) {
		ctx := newContext(t, WithLogger(slog.New(slog.DiscardHandler))) // they are leaked, too
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					if _, err := ctx.NewSocket(PUSH); err != nil {
						return
					}
				}
			})
		}
		require.NoError(t, ctx.Close())
		bounded(t, "NewSocket", wg.Wait)
	}
	assert.Equal(t, before, pprof.Lookup(ProfileName).Count())
}

// nosyHandler looks at everything when something is logged.
type nosyHandler struct{ slog.Handler }

func (h nosyHandler) Handle(ctx context.Context, r slog.Record) error {
	lookAtAll(nil)
	return h.Handler.Handle(ctx, r)
}

// lookAtAll uses everything that shows the inside, of all contexts and of ctx.
func lookAtAll(ctx *Context) {
	_, _ = json.Marshal(Contexts())
	_, _ = json.Marshal(ctx.Report())
	_ = ctx.Report().String()
	_ = ctx.Report().LogValue()
	for _, info := range ctx.Sockets() {
		_ = info.String()
	}
	_ = pprof.Lookup(ProfileName).WriteTo(io.Discard, 1)
}

// Several goroutines look at everything all the time, while contexts and
// sockets come and go, are used, and are leaked.
func TestSeeingInsideWhileAllIsInUse(t *testing.T) {
	before, profiled := len(Contexts()), pprof.Lookup(ProfileName).Count()
	for round := range rounds(30) {
		ctx, err := NewContextWith(
			WithLinger(linger.MustFor(time.Duration(round%3)*10*time.Millisecond)), WithCloseTimeout(limit),
			WithLogger(slog.New(nosyHandler{slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})})),
		)
		require.NoError(t, err)
		quit := make(chan struct{})
		var users, lookers sync.WaitGroup
		for range 3 {
			lookers.Go(func() {
				for {
					select {
					case <-quit:
						return
					default:
						lookAtAll(ctx)
					}
				}
			})
		}
		useAll(t, ctx, &users, []string{"inproc://see", "tcp://127.0.0.1:*"}[round%2])
		require.Eventually(t, func() bool { return ctx.Sockets()[0].Received > 20 }, limit, time.Millisecond)
		bounded(t, "Close", func() { require.NoError(t, ctx.Close()) })
		bounded(t, "users", users.Wait)
		close(quit)
		bounded(t, "lookers", lookers.Wait)
		r := ctx.Report()
		assert.True(t, r.Done)
		assert.Empty(t, r.Holding())
		assert.Zero(t, r.Unclosed)
	}
	eventuallyCollected(t, func() bool { return len(Contexts()) == before && pprof.Lookup(ProfileName).Count() == profiled })
}

// useAll starts goroutines that do everything with sockets of ctx until it
// closes.
func useAll(t *testing.T, ctx *Context, users *sync.WaitGroup, transport string) {
	t.Helper()
	pull, push := newPair(t, ctx, PULL, PUSH, transport)
	endpoint, err := pull.GetLastEndpoint()
	require.NoError(t, err)
	until := func(f func() error) {
		users.Go(func() {
			for f() == nil {
				runtime.Gosched()
			}
		})
	}
	until(func() error { _, err := push.SendMessage("two", "parts"); return err })
	until(func() error { _, err := pull.RecvMessage(0); return err })
	until(func() error {
		poller := newPollerOf(POLLIN|POLLOUT, pull, push)
		_, err := poller.Poll(time.Millisecond)
		return err
	})
	until(func() error { // closed by the program, with messages on their way
		soc, err := ctx.NewSocket(PUSH)
		if err != nil {
			return err
		}
		_ = soc.Connect(endpoint)
		_, _ = soc.Send("x", DONTWAIT)
		return soc.Close()
	})
	until(func() error { // leaked
		_, err := ctx.NewSocket(PAIR)
		time.Sleep(time.Millisecond)
		return err
	})
	front, sender := newPair(t, ctx, PULL, PUSH, "inproc://see-front")
	back, receiver := newPair(t, ctx, PUSH, PULL, "inproc://see-back")
	until(func() error { return Proxy(front, back, nil) })
	until(func() error { _, err := sender.Send("x", 0); return err })
	until(func() error { _, err := receiver.Recv(0); return err })
}

// A program may open, close and leak contexts and sockets forever.
func TestNothingGrows(t *testing.T) {
	quiet := WithLogger(slog.New(slog.DiscardHandler))
	contextsBefore, profiled := len(Contexts()), pprof.Lookup(ProfileName).Count()
	descriptors := openDescriptors(t)
	leak := func() { // a context with a socket that is open and one that lingers
		ctx, err := NewContextWith(quiet, WithLinger(linger.MustFor(10*time.Millisecond)))
		require.NoError(t, err)
		_, err = ctx.NewSocket(PULL)
		require.NoError(t, err)
		soc, err := ctx.NewSocket(PUSH)
		require.NoError(t, err)
		require.NoError(t, soc.Connect("tcp://127.0.0.1:1"))
		_, err = soc.Send("x", 0)
		require.NoError(t, err)
		require.NoError(t, soc.Close())
	}
	for range rounds(30) {
		leak()
		ctx, err := NewContextWith(quiet)
		require.NoError(t, err)
		for range 10 {
			soc, err := ctx.NewSocket(PUSH)
			require.NoError(t, err)
			require.NoError(t, soc.Close())
		}
		require.NoError(t, ctx.Close())
	}
	eventuallyCollected(t, func() bool {
		contexts.mu.Lock()
		defer contexts.mu.Unlock()
		return len(contexts.all) == contextsBefore
	})
	assert.Equal(t, profiled, pprof.Lookup(ProfileName).Count())
	require.Eventually(t, func() bool { return openDescriptors(t) <= descriptors }, limit, time.Millisecond)
}

// A line that the compiler has inlined in several places is one line.
func TestOneLineIsOneCallSite(t *testing.T) {
	ctx := newContext(t)
	detach := func(soc *Socket) { // small enough to be inlined
		assert.NoError(t, soc.Unbind("inproc://line"))
	}
	soc := newSocket(t, ctx, PULL)
	require.NoError(t, soc.Bind("inproc://line"))
	detach(soc)
	require.NoError(t, soc.Bind("inproc://line"))
	detach(soc)
	detached := ctx.Report().Detached
	require.Len(t, detached, 1)
	assert.Equal(t, 2, detached[0].Times)
}
