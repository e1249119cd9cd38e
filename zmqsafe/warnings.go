package zmqsafe

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/zmqsafe/zmq-exit/internal/patience"
)

// defaultLogger logs to slog's default of this moment, for what belongs to no
// context.
func defaultLogger() *slog.Logger { return patience.Logger(slog.Default()) }

// placed logs warnings about one line of the program.
type placed struct {
	logger *slog.Logger
	key    string // of the attribute that names the line
	at     callSite
}

// Warn logs a constant message, with attributes as slog.Logger.Warn takes them,
// once for each line of the program. When it is due there again, it is logged
// at level Debug, with how often it was due.
func (p placed) Warn(message string, attrs ...any) {
	ctx, level, line := context.Background(), slog.LevelWarn, p.at.String()
	if times := warnings.add(placedWarning{line, message}); times > 1 {
		level, attrs = slog.LevelDebug, append(attrs, "times", times)
	}
	if !p.logger.Enabled(ctx, level) {
		return
	}
	var pc [1]uintptr
	runtime.Callers(2, pc[:])
	r := slog.NewRecord(time.Now(), level, message, pc[0])
	r.Add(p.key, line)
	r.Add(attrs...)
	_ = p.logger.Handler().Handle(ctx, r)
}

// warnings counts how often each warning was due at each line of the program,
// in the whole process. It has one entry
// for each message and line at most, so it is bounded.
var warnings = timesDue{due: make(map[placedWarning]uint64)}

// placedWarning names the line as logs do: see callSite.sameLine.
type placedWarning struct{ line, message string }

type timesDue struct {
	mu  sync.Mutex
	due map[placedWarning]uint64 // guarded by mu
}

// add counts one more, and returns how many there were.
func (t *timesDue) add(w placedWarning) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.due[w]++
	return t.due[w]
}
