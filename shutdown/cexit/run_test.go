package cexit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// logged returns what f logs.
func logged(f func()) string {
	var log bytes.Buffer
	logTo(slog.NewTextHandler(&log, nil), f)
	return log.String()
}

func logTo(handler slog.Handler, f func()) {
	old := slog.Default()
	defer slog.SetDefault(old)
	slog.SetDefault(slog.New(handler))
	f()
}

func TestRunReports(t *testing.T) {
	for name, tt := range map[string]struct {
		shutdown closerFunc
		want     []string // nothing is logged if it is empty
	}{
		"nothing": {func(context.Context) error { return nil }, nil},
		"an error": {
			func(context.Context) error { return errors.New("out of luck") },
			[]string{"level=ERROR", "not closed in order at exit", "what=cexit.closerFunc", "registered=lib.go:7", `err="out of luck"`},
		},
		"a panic":  {func(context.Context) error { panic("out of order") }, []string{"panic: out of order", "run_test.go:"}},
		"a Goexit": {func(context.Context) error { runtime.Goexit(); return nil }, []string{`err="it called runtime.Goexit"`}},
	} {
		t.Run(name, func(t *testing.T) {
			log := logged(hook{tt.shutdown, time.Minute, "lib.go:7"}.run)
			if len(tt.want) == 0 {
				assert.Empty(t, log)
			}
			for _, want := range tt.want {
				assert.Contains(t, log, want)
			}
		})
	}
}

// The context ends a tenth before the timeout, 250 ms at most.
func TestRunLeavesTimeToReturn(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		time.Second:      900 * time.Millisecond,
		10 * time.Second: 9750 * time.Millisecond,
		time.Hour:        time.Hour - 250*time.Millisecond,
		1:                1,
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			log := logged(hook{closerFunc(func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}), timeout, "lib.go:7"}.run)
			assert.Equal(t, want, time.Since(start))
			if timeout > 1 {
				assert.Contains(t, log, "context deadline exceeded")
			}
		})
	}
}

func TestRunLeavesBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		atLast := make(chan struct{})
		log := logged(hook{closerFunc(func(context.Context) error {
			<-atLast
			return nil
		}), 5 * time.Second, "lib.go:7"}.run)
		assert.Equal(t, 5*time.Second, time.Since(start))
		assert.Contains(t, log, `err="it didn't return within 5s and is left behind"`)
		assert.Contains(t, log, "registered=lib.go:7")
		close(atLast)
	})
}

// blockedHandler is a logger whose lock is held by the goroutine that called exit.
type blockedHandler struct {
	slog.Handler
	unblock chan struct{}
}

func (h blockedHandler) Handle(context.Context, slog.Record) error {
	<-h.unblock
	return nil
}

func TestRunDoesNotWaitForTheLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		unblock := make(chan struct{})
		start := time.Now()
		logTo(blockedHandler{slog.NewTextHandler(new(bytes.Buffer), nil), unblock}, hook{closerFunc(func(context.Context) error {
			return errors.New("out of luck")
		}), 5 * time.Second, "lib.go:7"}.run)
		assert.Equal(t, logTime, time.Since(start))
		close(unblock)
	})
}
