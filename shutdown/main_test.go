package shutdown

import (
	"context"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		runProgram(name)
		return
	}
	goleak.VerifyTestMain(m)
}

// limit is how long anything in these tests may take before it has hung.
const limit = time.Minute

// bg is the context that has no bound.
var bg = context.Background()

// noSignals keeps a group from catching signals, which fails in a bubble of
// synctest.
var noSignals = []os.Signal{}

// journal records what happens, and in what order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}

// step returns a step that records its name.
func (j *journal) step(name string) Func {
	return func(context.Context) error {
		j.add(name)
		return nil
	}
}

// untilDone is a worker that returns when it should.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// inBubble runs f with a clock of its own, which stands still while anything
// runs.
func inBubble(t *testing.T, f func(t *testing.T, g *Group)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, &Group{Signals: noSignals, Logger: quiet()})
	})
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// logs is a slog.Handler that keeps what is logged at its level or above: at
// Info if that isn't set.
type logs struct {
	slog.Handler // none: nothing calls WithAttrs or WithGroup
	level        slog.Level
	before       func() // nil, or what each line takes

	mu      sync.Mutex
	records []record
}

// record is one log line.
type record struct {
	level   slog.Level
	message string
	attrs   map[string]any
}

func (l *logs) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }

func (l *logs) Handle(_ context.Context, r slog.Record) error {
	if l.before != nil {
		l.before()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	attrs := make(map[string]any)
	r.Attrs(func(a slog.Attr) bool { attrs[a.Key] = a.Value.Any(); return true })
	l.records = append(l.records, record{r.Level, r.Message, attrs})
	return nil
}

func (l *logs) all() []record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records)
}

// panics returns the lines about panics.
func (l *logs) panics(t *testing.T) []record {
	t.Helper()
	list := slices.DeleteFunc(l.all(), func(r record) bool { return r.message != "shutdown: panic" })
	for _, r := range list {
		assert.Equal(t, slog.LevelError, r.level)
	}
	return list
}

// bounded runs f and fails with all goroutine stacks if it takes too long.
func bounded(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(limit):
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s: not done after %v\n%s", what, limit, stacks[:runtime.Stack(stacks, true)])
	}
}

type closer func() error

func (c closer) Close() error { return c() }

// stuck ignores its context, and returns at the end of the test.
type stuck chan struct{}

func newStuck(t *testing.T) stuck {
	s := make(stuck)
	t.Cleanup(func() { close(s) })
	return s
}

func (s stuck) Shutdown(context.Context) error { <-s; return nil }

func (s stuck) work(context.Context) error { <-s; return nil }

func TestASetupThatHangsIsLeftBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 8 s, the default Timeout")
	}
	t.Parallel()
	c := start(t, "setup overruns", "ready", "closed")
	c.end(t, StatusDeadline)
	assert.Regexp(t, `WARN shutdown: still waiting kind=setup names=\[setup\] since=\S+ timeout=4s at=`, c.stderr.String())
	assert.Contains(t, c.stderr.String(), "shutdown.init.") // the place: the function in programs
	assert.NotContains(t, c.stderr.String(), "(*Group)")
	assert.Contains(t, c.stderr.String(), "shutdown: setup: still running")
}

// Setup is a worker to Main, but not to its report.
func TestSetupIsNotCountedAsAWorker(t *testing.T) {
	g := &Group{setup: make(chan struct{})}
	require.NoError(t, g.main(func(g *Group) error {
		g.Signals = noSignals
		return g.Go("job", func(context.Context) error { return nil })
	}))
	r := g.Report()
	assert.Equal(t, 1, r.Returned)
	assert.Empty(t, r.Workers)
}
