package shutdown

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/zmqsafe/zmq-exit/internal/patience"
)

// lines are the log lines that are being written. Nobody waits for them but
// the end of a stop, so a Logger that hangs takes no time from workers and
// steps.
type lines struct {
	mu      sync.Mutex
	written []<-chan struct{} // one for each line; closed when it is written
}

func (l *lines) add(written ...<-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.written = append(slices.DeleteFunc(l.written, isClosed), written...)
}

// take returns the lines and forgets them.
func (l *lines) take() []<-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	taken := l.written
	l.written = nil
	return taken
}

// await waits until all are closed, or bound says that it is over.
func await(bound <-chan time.Time, all ...<-chan struct{}) (ok bool) {
	for _, c := range all {
		select {
		case <-c:
		case <-bound:
			return false
		}
	}
	return true
}

// log calls write, which logs a line, and doesn't wait for it. All of it may
// hang or panic: the Logger, and the methods of what is logged.
func (g *Group) log(write func(*slog.Logger)) (written <-chan struct{}) {
	done := make(chan struct{})
	g.lines.add(done)
	go func() {
		defer close(done)
		defer func() { _ = recover() }() // there is nowhere to report it
		write(g.logger())
	}()
	return done
}

// logger returns the Logger, or slog's default while the setup function of Main
// may still set it. Its lines wait in bounds.
func (g *Group) logger() *slog.Logger {
	if !g.setupReturned() || g.Logger == nil {
		return patience.Logger(slog.Default())
	}
	return patience.Logger(g.Logger)
}

// lateLines is how long the end of a stop, or of the process, waits for what is
// still being written.
var lateLines = overtime // tests change it

// awaitLines logs the report, and waits for the last lines of a stop, for
// lateLines at most. If the stop is a part of another one, that one waits.
func (g *Group) awaitLines(outer *Group) {
	before := g.lines.take()
	if outer != nil {
		outer.lines.add(append(before, g.log(g.logReport))...)
		return
	}
	bound := time.After(lateLines)
	if await(bound, before...) {
		await(bound, g.log(g.logReport))
	}
}

func (g *Group) logReport(log *slog.Logger) { log.Debug("shutdown: report", "report", g.Report()) }
