package cexit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// line is a log line.
type line struct {
	Level, Msg, Type, Error string
	MadeAt                  string `json:"made_at"`
}

// logged returns what f logs: one line, or nothing.
func logged(t *testing.T, f func()) line {
	t.Helper()
	var log bytes.Buffer
	logTo(slog.NewJSONHandler(&log, nil), f)
	var l line
	if log.Len() > 0 {
		require.NoError(t, json.Unmarshal(log.Bytes(), &l))
		assert.Equal(t, line{"ERROR", "cexit: not closed in order at exit", "cexit.closerFunc", l.Error, "lib.go:7"}, l)
		assert.NotEmpty(t, l.Error)
	}
	return l
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
		want     []string // parts of the error; nothing is logged if there are none
	}{
		"nothing":  {func(context.Context) error { return nil }, nil},
		"an error": {func(context.Context) error { return errors.New("out of luck") }, []string{"out of luck"}},
		"a panic":  {func(context.Context) error { panic("out of order") }, []string{"panic: out of order", "run_test.go:"}},
		"a Goexit": {func(context.Context) error { runtime.Goexit(); return nil }, []string{"it called runtime.Goexit"}},
	} {
		t.Run(name, func(t *testing.T) {
			log := logged(t, hook{tt.shutdown, time.Minute, "lib.go:7"}.run)
			assert.Equal(t, len(tt.want) > 0, log.Error != "")
			for _, want := range tt.want {
				assert.Contains(t, log.Error, want)
			}
		})
	}
}

// The context expires a tenth before the timeout, 250 ms at most.
func TestRunLeavesTimeToReturn(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{
		time.Second:      900 * time.Millisecond,
		10 * time.Second: 9750 * time.Millisecond,
		time.Hour:        time.Hour - 250*time.Millisecond,
		1:                1,
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			log := logged(t, hook{closerFunc(func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}), timeout, "lib.go:7"}.run)
			assert.Equal(t, want, time.Since(start))
			if timeout > 1 {
				assert.Equal(t, "context deadline exceeded", log.Error)
			}
		})
	}
}

func TestRunLeavesBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		atLast := make(chan struct{})
		log := logged(t, hook{closerFunc(func(context.Context) error {
			<-atLast
			return nil
		}), 5 * time.Second, "lib.go:7"}.run)
		assert.Equal(t, 5*time.Second, time.Since(start))
		assert.Equal(t, "it didn't return within 5s and is left behind", log.Error)
		close(atLast)
	})
}

// blockedHandler is a logger whose lock the goroutine that called exit holds.
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
