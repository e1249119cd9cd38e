package shutdown

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		runProgram(name)
		return
	}
	goleak.VerifyTestMain(m)
}

// limit is how long anything in these tests may take before it counts as hung.
const limit = 20 * time.Second

// bg is what has no bound.
var bg = context.Background()

// noSignals keeps a group from catching signals: a bubble of synctest can't.
var noSignals = []os.Signal{}

// journal takes down what happens, and in what order.
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

// step returns a step that writes its name down.
func (j *journal) step(name string) Func {
	return func(context.Context) error {
		j.add(name)
		return nil
	}
}

// untilDone is a worker that does as it should.
func untilDone(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// inBubble runs f with a clock of its own: it stands still while anything runs.
func inBubble(t *testing.T, f func(t *testing.T, g *Group)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t, &Group{Signals: noSignals, Logger: quiet()})
	})
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// toLog returns a logger that writes into b, without the time.
func toLog(b *syncBuffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{
		Level: slog.LevelInfo,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}

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
