package zmqsafe

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/zmqsafe/zmq-exit/linger"
)

// A program that closes its sockets, never its context, and returns from main
// has delivered what it sent.
func TestCloseWithoutTermDelivers(t *testing.T) {
	const messages = 100
	ctx := newContext(t)
	if isChild(t) {
		sendWithoutTerm(t, messages)
		os.Exit(0) // no test's clean-up
	}
	var endpoints []string
	var pulls []*Socket
	for _, endpoint := range []string{"tcp://127.0.0.1:*", "ipc://" + filepath.Join(tempDir(t), "a"), "tcp://127.0.0.1:*", "ipc://" + filepath.Join(tempDir(t), "b")} {
		pull := newSocket(t, ctx, PULL)
		require.NoError(t, pull.Bind(endpoint))
		last, err := pull.GetLastEndpoint()
		require.NoError(t, err)
		endpoints, pulls = append(endpoints, last), append(pulls, pull)
	}
	done := make(chan error, 1)
	go func() {
		out, err := runChild(t, "ZMQSAFE_TEST_ENDPOINTS="+strings.Join(endpoints, " "), CloseWaitVariable+"=on", LingerVariable+"=4s")
		if err != nil {
			t.Log(out)
		}
		done <- err
	}()
	for i, pull := range pulls {
		for range messages {
			bounded(t, "Recv", func() {
				b, err := pull.RecvBytes(0)
				require.NoError(t, err)
				require.Len(t, b, sizeWithoutTerm[i])
			})
		}
	}
	require.NoError(t, waitFor(t, "the child", done))
}

var sizeWithoutTerm = []int{10, 10, 100_000, 100_000}

// sendWithoutTerm is the program. Each size has a context of its own, and the
// socket that is closed first is not the last one.
func sendWithoutTerm(t *testing.T, messages int) {
	endpoints := strings.Fields(os.Getenv("ZMQSAFE_TEST_ENDPOINTS"))
	for i := 0; i < len(endpoints); i += 2 {
		open := NewSocket // in the default context
		if i > 0 {
			ctx, err := NewContext()
			require.NoError(t, err)
			open = ctx.NewSocket
		}
		var sockets []*Socket
		for _, endpoint := range endpoints[i : i+2] {
			soc, err := open(PUSH)
			require.NoError(t, err)
			require.NoError(t, soc.Connect(endpoint))
			for range messages {
				_, err := soc.SendBytes(bytes.Repeat([]byte("x"), sizeWithoutTerm[i]), 0)
				require.NoError(t, err)
			}
			sockets = append(sockets, soc)
		}
		for _, soc := range sockets {
			require.NoError(t, soc.Close())
		}
	}
}

// arrive lets the peer come, and takes what was sent to it. When it returns the
// port is free again.
func arrive(t *testing.T, typ Type, endpoint string, messages int) {
	t.Helper()
	ctx := newContext(t)
	pull := newSocket(t, ctx, typ)
	require.NoError(t, pull.Bind(endpoint))
	bounded(t, "Recv", func() {
		for range messages {
			_, err := pull.Recv(0)
			require.NoError(t, err)
		}
	})
	require.NoError(t, ctx.Close())
}

// newWaiting makes a context in which a wait for an absent peer would fail the
// test.
func newWaiting(t *testing.T, options ...Option) *Context {
	t.Helper()
	return newContext(t, append([]Option{WithLinger(linger.MustFor(time.Hour)), WithCloseTimeout(2 * time.Hour)}, options...)...)
}

func sendTo(t *testing.T, ctx *Context, endpoint string) *Socket {
	t.Helper()
	soc := newSocket(t, ctx, PUSH)
	require.NoError(t, soc.SetReconnectIvl(5*time.Millisecond))
	require.NoError(t, soc.Connect(endpoint))
	sendText(t, soc, "x")
	return soc
}

func waiting(ctx *Context) int {
	ctx.c.mu.Lock()
	defer ctx.c.mu.Unlock()
	return ctx.c.closeWait.waiting
}

// Close returns at once where a wait would be useless or would hold up what
// else there is.
func TestCloseThatDoesNotWait(t *testing.T) {
	for name, c := range map[string]struct {
		options []Option
		close   func(t *testing.T, ctx *Context, soc *Socket) error
		arrives int
	}{
		"another is open": {arrives: 1, close: func(t *testing.T, ctx *Context, soc *Socket) error {
			newSocket(t, ctx, PULL)
			return soc.Close()
		}},
		"it is switched off": {arrives: 1, options: []Option{WithCloseWait(false)}, close: func(t *testing.T, ctx *Context, soc *Socket) error {
			return soc.Close()
		}},
		"in a handler": {arrives: 1, close: func(t *testing.T, ctx *Context, soc *Socket) error {
			r, values := NewReactor(), make(chan any, 1)
			values <- "close"
			r.AddChannel(values, 1, func(any) error {
				require.NoError(t, soc.Close())
				return context.Canceled
			})
			require.ErrorIs(t, r.Run(time.Second), context.Canceled)
			return nil
		}},
		"LINGER 0": {close: func(t *testing.T, ctx *Context, soc *Socket) error {
			require.NoError(t, soc.SetLinger(0))
			return soc.Close()
		}},
		"zmq_close is put off": {arrives: 1, close: func(t *testing.T, ctx *Context, soc *Socket) error {
			require.NoError(t, soc.Connect(inproc(t)))
			return soc.Close()
		}},
		"inproc only, and nobody reads": {close: func(t *testing.T, ctx *Context, soc *Socket) error {
			require.NoError(t, soc.SetLinger(0))
			require.NoError(t, soc.Close())
			pull, push := newPair(t, ctx, PULL, PUSH, inproc(t))
			sendText(t, push, "x")
			require.NoError(t, pull.Close())
			return push.Close()
		}},
		"it is leaked": {arrives: 1, close: func(t *testing.T, ctx *Context, soc *Socket) error {
			soc.s.mark(ErrorSocketClosed)
			_, err := soc.s.close(byProgram) // as leaked does
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, endpoint := newWaiting(t, c.options...), deadPort(t)
			soc := sendTo(t, ctx, endpoint)
			bounded(t, "Close", func() { require.NoError(t, c.close(t, ctx, soc)) })
			arrive(t, PULL, endpoint, c.arrives)
		})
	}
}

// A wait ends when all is sent, and when the context is closed, and then the
// Shutdown is in time.
func TestCloseThatWaits(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, ctx *Context, endpoint string){
		"the peer comes": func(t *testing.T, ctx *Context, endpoint string) { arrive(t, PULL, endpoint, 2) },
		"another socket is opened meanwhile": func(t *testing.T, ctx *Context, endpoint string) {
			soc := sendTo(t, ctx, endpoint)
			arrive(t, PULL, endpoint, 3)
			require.NoError(t, soc.Close())
		},
		"the context is closed": func(t *testing.T, ctx *Context, endpoint string) {
			bound, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.ErrorIs(t, ctx.Shutdown(bound), context.DeadlineExceeded)
			arrive(t, PULL, endpoint, 2)
			bounded(t, "Shutdown", func() { require.NoError(t, ctx.Shutdown(context.Background())) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			endpoint := deadPort(t)
			ctx, err := NewContextWith(WithLinger(linger.MustFor(time.Hour)), WithCloseTimeout(2*time.Hour), WithLogger(new(syncBuffer).logger()))
			require.NoError(t, err)
			defer ctx.Close()
			first, last := sendTo(t, ctx, endpoint), sendTo(t, ctx, endpoint)
			require.NoError(t, first.Close())
			done := make(chan error, 2)
			go func() { done <- last.Close() }()
			require.Eventually(t, func() bool { return waiting(ctx) == 1 }, limit, time.Millisecond)
			go func() { done <- first.Close() }() // whoever returns from main next
			require.Eventually(t, func() bool { return waiting(ctx) == 2 }, limit, time.Millisecond)
			end(t, ctx, endpoint)
			require.NoError(t, waitFor(t, "Close", done))
			require.NoError(t, waitFor(t, "Close again", done))
			assert.Zero(t, waiting(ctx))
		})
	}
}

// A peer that is dead costs a loop one wait. A close that succeeds after that
// shows that waiting makes sense again.
func TestCloseWaitsInVainOnce(t *testing.T) {
	for name, bound := range map[string]struct{ lingers, timeout time.Duration }{
		"for the linger":        {30 * time.Millisecond, time.Hour},
		"for the close timeout": {time.Hour, 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			var log syncBuffer
			ctx := newWaiting(t, WithCloseTimeout(bound.timeout), WithLogger(log.logger()))
			dead, live := deadPort(t), deadPort(t)
			soc := newSocket(t, ctx, DEALER) // its zmq_close isn't put off
			require.NoError(t, soc.SetLinger(bound.lingers))
			require.NoError(t, soc.Connect(dead))
			sendText(t, soc, "x")
			began := time.Now()
			require.NoError(t, soc.Close())
			assert.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond)
			setCloseTimeout := func(d time.Duration) {
				ctx.c.mu.Lock()
				defer ctx.c.mu.Unlock()
				ctx.c.closeTimeout = d
			}
			setCloseTimeout(2 * time.Hour) // whoever waits now fails the test
			gone := bound.lingers < time.Second
			if gone { // what ran out isn't success
				log.has(t, lingerRanOut)
			}
			bounded(t, "the loop", func() {
				for range 10 {
					require.NoError(t, sendTo(t, ctx, live).Close())
				}
			})
			arrive(t, PULL, live, 10)
			if !gone { // there is no more hope for it, so it doesn't count
				setCloseTimeout(time.Millisecond)
				soc := newSocket(t, ctx, DEALER)
				require.NoError(t, soc.SetReconnectIvl(time.Millisecond))
				require.NoError(t, soc.Connect(live))
				sendText(t, soc, "x")
				require.NoError(t, soc.Close())
				arrive(t, DEALER, live, 1)
			}
			require.Eventually(t, func() bool {
				ctx.c.mu.Lock()
				defer ctx.c.mu.Unlock()
				return !ctx.c.closeWait.inVain
			}, limit, time.Millisecond)
			setCloseTimeout(2 * time.Hour)
			done := make(chan error, 1)
			soc = sendTo(t, ctx, live)
			go func() { done <- soc.Close() }()
			require.Eventually(t, func() bool { return waiting(ctx) == 1 }, limit, time.Millisecond)
			arrive(t, PULL, live, 1)
			if !gone {
				arrive(t, DEALER, dead, 1)
			}
			require.NoError(t, waitFor(t, "Close", done))
			require.NoError(t, ctx.Close())
			log.reset()
		})
	}
}

// The environment switches the wait off, unless it is malformed or the program
// says otherwise.
func TestCloseWaitVariable(t *testing.T) {
	for text, off := range map[string]bool{"on": false, "off": true} {
		t.Setenv(CloseWaitVariable, text)
		assert.Equal(t, off, newContext(t).c.closeWait.off)
		assert.False(t, newContext(t, WithCloseWait(true)).c.closeWait.off)
	}
	for _, text := range []string{"", "Off", "no", "1s"} {
		t.Setenv(CloseWaitVariable, text)
		_, err := NewContext()
		assert.ErrorContains(t, err, CloseWaitVariable)
		assert.ErrorContains(t, err, "want on or off")
	}
}
