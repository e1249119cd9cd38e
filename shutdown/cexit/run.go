package cexit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// logTime bounds how long exit waits for the logger: the goroutine that called C.exit may be the one that holds its lock.
const logTime = time.Second

// run closes what is registered and reports what went wrong. It returns within the timeout, plus logTime.
func (h hook) run() {
	ctx, cancel := context.WithTimeout(context.Background(), h.timeout-min(h.timeout/10, 250*time.Millisecond))
	defer cancel()
	err := within(h.timeout, func() error { return h.closer.Shutdown(ctx) })
	if err == nil {
		return
	}
	// There is nobody left to tell when the logger fails.
	_ = within(logTime, func() error {
		slog.Error("cexit: not closed in order at exit", "what", fmt.Sprintf("%T", h.closer), "registered", h.place, "err", err)
		return nil
	})
}

// within calls f and returns its error. It returns without f when the timeout has passed, and returns an error when f
// panics or ends its goroutine. f has a goroutine of its own, since nothing can take a call back that doesn't return.
func within(timeout time.Duration, f func() error) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("it called runtime.Goexit")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
			done <- err
		}()
		err = f()
	}()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("it didn't return within %v and is left behind", timeout)
	}
}
