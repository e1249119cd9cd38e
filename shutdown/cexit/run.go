package cexit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// logTime bounds how long exit waits for the logger. The goroutine that called
// C.exit may hold its lock.
const logTime = time.Second

// run closes what is registered, and logs what went wrong. It returns within
// the timeout and logTime.
func (h hook) run() {
	ctx, cancel := context.WithTimeout(context.Background(), h.timeout-min(h.timeout/10, 250*time.Millisecond))
	defer cancel()
	err := within(h.timeout, func() error { return h.closer.Shutdown(ctx) })
	if err == nil {
		return
	}
	// If the logger fails, there is nowhere to report it.
	_ = within(logTime, func() error {
		slog.Error("cexit: not closed in order at exit", "type", fmt.Sprintf("%T", h.closer), "made_at", h.madeAt, "error", err)
		return nil
	})
}

// within calls f in a goroutine of its own, and returns its error, or an error
// if f panics, ends its goroutine or doesn't return within the timeout.
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
	select {
	case err := <-done:
		return err
	case <-time.After(timeout):
		return fmt.Errorf("it didn't return within %v and is left behind", timeout)
	}
}
