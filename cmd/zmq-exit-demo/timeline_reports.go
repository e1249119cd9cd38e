package main

import (
	"context"
	"log"
	"log/slog"
	"time"

	"github.com/zmqsafe/zmq-exit/cmd/zmq-exit-demo/internal/timeline"
	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// catchReports makes the default logger record the closing reports, and otherwise
// leaves it as it is.
func catchReports(r *recorder) {
	flags, out := log.Flags(), log.Writer()
	slog.SetDefault(slog.New(reportCatcher{slog.Default().Handler(), r}))
	// SetDefault has made package log write to the new handler, which passes on to the
	// old one, which writes to package log.
	log.SetFlags(flags)
	log.SetOutput(out)
}

// reportCatcher is a handler for log records that records the closing reports in them.
type reportCatcher struct {
	slog.Handler
	recorder *recorder
}

// Enabled also lets the reports of closes pass that went well, which are debug records.
func (c reportCatcher) Enabled(context.Context, slog.Level) bool { return true }

func (c reportCatcher) Handle(ctx context.Context, record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if report, ok := a.Value.Any().(zmqsafe.Report); ok {
			c.recorder.write(timeline.Event{At: time.Now(), Report: drawnReport(report)})
		}
		return true
	})
	if !c.Handler.Enabled(ctx, record.Level) {
		return nil
	}
	return c.Handler.Handle(ctx, record)
}

func (c reportCatcher) WithAttrs(attrs []slog.Attr) slog.Handler {
	return reportCatcher{c.Handler.WithAttrs(attrs), c.recorder}
}

func (c reportCatcher) WithGroup(name string) slog.Handler {
	return reportCatcher{c.Handler.WithGroup(name), c.recorder}
}

// drawnReport is r as it is drawn.
func drawnReport(r zmqsafe.Report) *timeline.Report {
	drawn := &timeline.Report{
		Site: r.Site, Began: r.Began, Deadline: r.Deadline, Ended: r.Began.Add(r.Took), Done: r.Done, Error: r.CloseError,
	}
	for _, s := range r.Steps {
		drawn.Steps = append(drawn.Steps, timeline.Step{Name: s.Name, Began: s.Began, Ended: s.Began.Add(s.Took)})
	}
	for _, s := range r.Sockets {
		socket := drawnSocket(s.SocketInfo)
		socket.Lingers, socket.Woke, socket.Outcome = s.Lingers.String(), s.Waiting.String(), s.Outcome.String()
		socket.Woken, socket.Closed, socket.Gone = s.Woken, s.Closed, s.Gone
		drawn.Sockets = append(drawn.Sockets, socket)
	}
	return drawn
}

func drawnSocket(s zmqsafe.SocketInfo) timeline.Socket {
	return timeline.Socket{
		Type: s.Type.String(), Site: s.Site, Endpoints: s.Endpoints, Created: s.Created, Linger: s.Linger.String(),
		Accepted: s.Accepted, Received: s.Received,
	}
}
