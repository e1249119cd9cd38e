package zmqsafe

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/linger"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(thenTerm{m})
}

// thenTerm closes the default context that examples leave open: they may run
// several times, and it can be closed only once.
type thenTerm struct{ m *testing.M }

func (t thenTerm) Run() int {
	code := t.m.Run()
	if ctx := defaultContext.ctx; ctx != nil {
		if err := ctx.Term(); err != nil {
			fmt.Fprintln(os.Stderr, "Term of the default context:", err)
			return 1
		}
	}
	return code
}

// limit is how long anything in these tests may take before it counts as hung.
const limit = 20 * time.Second

// newContext makes a context that is closed at the end of the test, under a
// limit, so that a hang names its test. What it logs fails the test.
func newContext(t testing.TB, options ...Option) *Context {
	t.Helper()
	var log syncBuffer
	options = append([]Option{
		WithLinger(linger.Drop), WithCloseTimeout(limit),
		WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
	}, options...)
	ctx, err := NewContext(options...)
	require.NoError(t, err)
	t.Cleanup(func() {
		bounded(t, "Close of the context", func() { require.NoError(t, ctx.Close()) })
		require.Empty(t, log.String(), "log")
	})
	return ctx
}

// newSocket makes a socket that lives until the end of the test: the package
// would close one that is no longer referred to.
func newSocket(t testing.TB, ctx *Context, typ Type) *Socket {
	t.Helper()
	soc, err := ctx.NewSocket(typ)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, soc.Close()) })
	return soc
}

// newPair returns two connected sockets.
func newPair(t testing.TB, ctx *Context, bound, connected Type, endpoint string) (*Socket, *Socket) {
	t.Helper()
	b, c := newSocket(t, ctx, bound), newSocket(t, ctx, connected)
	require.NoError(t, b.Bind(endpoint))
	last, err := b.GetLastEndpoint()
	require.NoError(t, err)
	require.NoError(t, c.Connect(last))
	return b, c
}

// bounded runs f and fails with all goroutine stacks if it takes too long.
func bounded(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	waitFor(t, what, done)
}

func waitFor[T any](t testing.TB, what string, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(limit):
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s: not done after %v\n%s", what, limit, stacks[:runtime.Stack(stacks, true)])
	}
	return v
}

// waitUntilBlocked returns when n goroutines wait in s in the direction of dir,
// counting only the one that has the turn.
func waitUntilBlocked(t testing.TB, soc *Socket, dir State) {
	t.Helper()
	d := &soc.s.in
	if dir == POLLOUT {
		d = &soc.s.out
	}
	require.Eventually(t, d.waiting.Load, limit, time.Millisecond)
}

// openDescriptors counts /proc/self/fd. Those of Go's netpoller, which it opens when
// they are needed and never closes, are among them from the first count on.
func openDescriptors(t testing.TB) int {
	t.Helper()
	startNetpoller()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries) - 1 // less the one for reading this
}

var startNetpoller = sync.OnceFunc(func() {
	r, w, err := os.Pipe()
	if err == nil {
		_ = r.Close()
		_ = w.Close()
	}
})

func inproc(t testing.TB) string { return fmt.Sprintf("inproc://%s", t.Name()) }

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *syncBuffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Reset()
}

// newDefault gives the test a default context of its own, closed at its end.
// Such tests can't run in parallel.
func newDefault(t testing.TB) {
	t.Helper()
	old := defaultContext
	t.Cleanup(func() {
		bounded(t, "Term", func() { require.NoError(t, Term()) })
		defaultContext = old
	})
	defaultContext = new(defaultState)
}
