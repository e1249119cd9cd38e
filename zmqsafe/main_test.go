package zmqsafe

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/linger"
)

func TestMain(m *testing.M) {
	if !HasCurve() { // an example can't skip itself
		flag.Set("test.skip", "^ExampleAuthStart$")
	}
	goleak.VerifyTestMain(thenTerm{m})
}

// thenTerm closes the default context that examples leave open. They may run
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

// limit is how long anything in these tests may take before it is considered
// hung.
const limit = time.Minute

func needsCurve(t testing.TB) {
	t.Helper()
	if !HasCurve() {
		t.Skip("libzmq was built without CURVE")
	}
}

// newContext makes a context that is closed at the end of the test, within
// limit, so that a hang names its test. The test fails if the context logs
// something, unless that only says how busy the system is.
func newContext(t testing.TB, options ...Option) *Context {
	t.Helper()
	var log syncBuffer
	options = append([]Option{
		WithLinger(linger.Drop), WithCloseTimeout(limit),
		WithLogger(slog.New(slog.NewTextHandler(&log, nil))),
	}, options...)
	ctx, err := NewContextWith(options...)
	require.NoError(t, err)
	t.Cleanup(func() {
		bounded(t, "Close of the context", func() { require.NoError(t, ctx.Close()) })
		for line := range strings.Lines(withoutUnread(log.String())) {
			require.Contains(t, line, stillOpen, "log")
		}
	})
	return ctx
}

// withoutUnread leaves out the warnings of unread messages: many tests end with
// some. That no other close has such a warning is for the tests of the warning.
func withoutUnread(log string) (rest string) {
	for line := range strings.Lines(log) {
		if !strings.Contains(line, unreadLost) {
			rest += line
		}
	}
	return rest
}

// newSocket makes a socket that lives until the end of the test: the package
// would close one that is no longer referenced.
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

// bounded runs f, and fails with all goroutine stacks if that takes too long.
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

// waitUntilBlocked returns when a call waits for soc in direction dir.
func waitUntilBlocked(t testing.TB, soc *Socket, dir State) {
	t.Helper()
	require.Eventually(t, func() bool {
		waiting := soc.s.waiting()
		return dir == POLLIN && waiting.Receives > 0 || dir == POLLOUT && waiting.Sends > 0
	}, limit, time.Millisecond)
}

// epollOf returns the descriptor of the waker that watches fd, or -1 if none
// does.
func epollOf(t *testing.T, fd int) int {
	t.Helper()
	infos, err := os.ReadDir("/proc/self/fdinfo")
	require.NoError(t, err)
	for _, entry := range infos {
		info, err := os.ReadFile("/proc/self/fdinfo/" + entry.Name())
		if err == nil && regexp.MustCompile(fmt.Sprintf(`(?m)^tfd: +%d `, fd)).Match(info) {
			epoll, err := strconv.Atoi(entry.Name())
			require.NoError(t, err)
			return epoll
		}
	}
	return -1
}

// openDescriptors counts the entries of /proc/self/fd. Go's netpoller opens
// descriptors on first use and never closes them; they are included from the
// first count on.
func openDescriptors(t testing.TB) int {
	t.Helper()
	startNetpoller()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries) - 1 // minus the one for reading this
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

// has waits until the log has a text: nothing else does, if the system is slow.
func (b *syncBuffer) has(t testing.TB, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(b.String(), text) }, limit, time.Millisecond, "%q in the log", text)
}

// logger writes to the buffer what line and lines read.
func (b *syncBuffer) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// lines returns the attributes of every line that was logged at level Info or
// above.
func (b *syncBuffer) lines(t testing.TB) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for text := range strings.Lines(b.String()) {
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		if line["level"] != "DEBUG" {
			lines = append(lines, line)
		}
	}
	return lines
}

// line waits for the one line with the message, a warning, and returns its
// attributes.
func (b *syncBuffer) line(t testing.TB, message string) map[string]any {
	t.Helper()
	b.has(t, message)
	var found []map[string]any
	for _, line := range b.lines(t) {
		if line["msg"] == message {
			found = append(found, line)
		}
	}
	require.Len(t, found, 1, "%q in the log:\n%s", message, b.String())
	require.Equal(t, "WARN", found[0]["level"])
	return found[0]
}

// newDefault gives the test its own default context, which is closed at its
// end. Such tests can't run in parallel.
func newDefault(t testing.TB) {
	t.Helper()
	old := defaultContext
	t.Cleanup(func() {
		bounded(t, "Term", func() { require.NoError(t, Term()) })
		defaultContext = old
	})
	defaultContext = new(defaultState)
}

const childVariable = "ZMQSAFE_TEST_CHILD"

// inChild runs f in its own process, because f may crash it or spoil its state.
// The test fails if f fails.
func inChild(t *testing.T, f func()) {
	t.Helper()
	if isChild(t) {
		f()
		return
	}
	out, err := runChild(t)
	require.NoError(t, err, "%s", out)
}

// isChild reports whether runChild of the test has started this process.
func isChild(t *testing.T) bool { return os.Getenv(childVariable) == t.Name() }

// runChild runs the test once more in a separate process.
func runChild(t *testing.T, environment ...string) (string, error) {
	t.Helper()
	child := newChild(t, environment...)
	child.Args = append(child.Args, "-test.v")
	out, err := child.CombinedOutput()
	return string(out), err
}

// newChild is the test once more as a process, which has not begun and lasts
// limit at most.
func newChild(t *testing.T, environment ...string) *exec.Cmd {
	t.Helper()
	bound, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	child := exec.CommandContext(bound, os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), childVariable+"="+t.Name(), "GORACE=atexit_sleep_ms=0") // otherwise it sleeps a second
	child.Env = append(child.Env, environment...)
	return child
}
