package patience

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a handler that keeps what it gets. Each line first calls before.
type book struct {
	slog.Handler // of the text
	*pages
}

type pages struct {
	before func(slog.Record)

	mu      sync.Mutex
	text    bytes.Buffer
	records []slog.Record
}

func newBook(before func(slog.Record)) book {
	p := &pages{before: before}
	leaveOutTime := func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}
	return book{slog.NewTextHandler(&p.text, &slog.HandlerOptions{ReplaceAttr: leaveOutTime}), p}
}

func (b book) WithAttrs(attrs []slog.Attr) slog.Handler {
	return book{b.Handler.WithAttrs(attrs), b.pages}
}

func (b book) WithGroup(name string) slog.Handler { return book{b.Handler.WithGroup(name), b.pages} }

func (b book) Handle(ctx context.Context, r slog.Record) error {
	if b.before != nil {
		b.before(r)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, r)
	return b.Handler.Handle(ctx, r)
}

func (p *pages) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// messages returns the messages of all lines.
func (p *pages) messages() (all []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.records {
		all = append(all, r.Message)
	}
	return all
}

// took returns how long f takes in a bubble's time.
func took(f func()) time.Duration {
	began := time.Now()
	f()
	return time.Since(began)
}

func TestLinesPassUnchanged(t *testing.T) {
	bound, direct := newBook(nil), newBook(nil)
	for _, log := range []*slog.Logger{Logger(slog.New(bound)), slog.New(direct)} {
		log.Debug("not enabled")
		log.Warn("plain", "n", 1, "err", errors.New("broken"), "names", []string{"a", "b"})
		log.With("made_at", "x.go:1").WithGroup("g").With("in", true).Error("more", "k", slog.GroupValue(slog.Int("i", 1), slog.Any("v", valuer{"x"})))
	}
	assert.Equal(t, direct.String(), bound.String())
	assert.Equal(t, 2, strings.Count(bound.String(), "\n"), "each line is out when the call returns")
	frame, _ := runtime.CallersFrames([]uintptr{bound.records[0].PC}).Next()
	assert.Equal(t, "patience_test.go", filepath.Base(frame.File))
}

type valuer struct{ text string }

func (v valuer) LogValue() slog.Value { return slog.StringValue("resolved " + v.text) }

// A handler that is late must not read what may have changed.
func TestLogValuersAreResolvedBefore(t *testing.T) {
	b := newBook(nil)
	Logger(slog.New(b)).Info("line", "v", valuer{"a"}, slog.Group("g", "v", valuer{"b"}))
	assert.Contains(t, b.String(), `v="resolved a" g.v="resolved b"`)
	b.records[0].Attrs(func(a slog.Attr) bool {
		assert.NotEqual(t, slog.KindLogValuer, a.Value.Kind(), a.Key)
		if a.Value.Kind() == slog.KindGroup {
			assert.NotEqual(t, slog.KindLogValuer, a.Value.Group()[0].Value.Kind(), a.Key)
		}
		return true
	})
}

// A handler that hangs costs the first line Bound, and others nothing, whoever
// logs them. When it comes back it gets all of them, in order.
func TestHandlerHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		b := newBook(func(slog.Record) { <-hangs })
		log, other := Logger(slog.New(b)), Logger(slog.New(b))
		assert.Equal(t, Bound, took(func() { log.Warn("1") }))
		assert.Zero(t, took(func() {
			log.Warn("2")
			log.With("a", 1).WithGroup("g").Warn("3")
			other.Warn("4")
		}))
		close(hangs)
		synctest.Wait()
		assert.Equal(t, []string{"1", "2", "3", "4"}, b.messages())
		assert.Zero(t, took(func() { log.Warn("5") }))
		assert.Equal(t, []string{"1", "2", "3", "4", "5"}, b.messages(), "it waits again")
	})
}

// A line waits for those before it, but no longer than Bound in all.
func TestLinesWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(func(slog.Record) { time.Sleep(Bound * 2 / 3) })
		log := Logger(slog.New(b))
		assert.Equal(t, Bound*2/3, took(func() { log.Warn("alone") }))
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { assert.LessOrEqual(t, took(func() { log.Warn("many") }), Bound) })
		}
		assert.LessOrEqual(t, took(all.Wait), Bound)
		time.Sleep(10 * Bound)
		assert.Len(t, b.messages(), 11)
	})
}

func TestHandlersAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		stuck, sound := newBook(func(slog.Record) { <-hangs }), newBook(nil)
		Logger(slog.New(stuck)).Warn("stuck")
		assert.Zero(t, took(func() { Logger(slog.New(sound)).Warn("sound") }))
		assert.Equal(t, []string{"sound"}, sound.messages())
		close(hangs)
	})
}

// list can't be the key of a map.
type list struct {
	book
	_ []int
}

func (l list) WithAttrs(attrs []slog.Attr) slog.Handler { return l.book.WithAttrs(attrs) }

func TestHandlerThatCannotBeCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		log := Logger(slog.New(list{book: newBook(func(slog.Record) { <-hangs })}))
		assert.Equal(t, Bound, took(func() { log.Warn("1") }))
		assert.Zero(t, took(func() { log.With("a", 1).Warn("2") }))
		close(hangs)
	})
}

func TestLinesAreDroppedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		b := newBook(func(slog.Record) { <-hangs })
		log := Logger(slog.New(b))
		for range keep + 1 + 7 {
			log.Warn("line")
		}
		close(hangs)
		synctest.Wait()
		got := b.messages()
		require.Len(t, got, keep+2)
		assert.Equal(t, "zmq-exit: log lines were dropped; the logger was late", got[1], "said first when the handler is back")
		assert.Contains(t, b.String(), "dropped=7 kept=1000\n")
		assert.Equal(t, 1, strings.Count(b.String(), "dropped="))
	})
}

// A context that is done ends the wait, and nothing else.
func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(func(slog.Record) { time.Sleep(Bound / 2) })
		log := Logger(slog.New(b))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(Bound/4, cancel)
		assert.Equal(t, Bound/4, took(func() { log.WarnContext(ctx, "1") }))
		assert.Zero(t, took(func() { log.WarnContext(ctx, "2") }))
		time.Sleep(Bound)
		assert.Equal(t, []string{"1", "2"}, b.messages())
	})
}

// A handler may log with what called it: a line over a socket of this module.
func TestHandlerLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log *slog.Logger
		b := newBook(func(r slog.Record) {
			if r.Message == "outer" {
				assert.Equal(t, Bound, took(func() { log.Warn("inner") }), "it waits for itself")
			}
		})
		log = Logger(slog.New(b))
		assert.LessOrEqual(t, took(func() { log.Warn("outer") }), Bound)
		synctest.Wait()
		time.Sleep(Bound)
		assert.Equal(t, []string{"outer", "inner"}, b.messages())
	})
}

func TestHandlerEndsItsGoroutine(t *testing.T) {
	b := newBook(func(r slog.Record) {
		switch r.Message {
		case "panic":
			panic("in the handler")
		case "exit":
			runtime.Goexit()
		}
	})
	log := Logger(slog.New(b))
	log.Warn("panic")
	log.Warn("exit")
	log.Warn("line")
	assert.Equal(t, []string{"line"}, b.messages())
}

// muted is a handler whose Enabled waits for something.
type muted struct {
	book
	until <-chan struct{}
}

func (m muted) Enabled(context.Context, slog.Level) bool { <-m.until; return true }

func TestEnabledHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := make(chan struct{})
		b := newBook(nil)
		log := Logger(slog.New(muted{b, hangs}))
		assert.LessOrEqual(t, took(func() { log.Warn("1") }), 2*Bound)
		assert.Zero(t, took(func() { log.Warn("2") }))
		close(hangs)
		synctest.Wait()
		assert.Equal(t, []string{"1", "2"}, b.messages())
	})
}
