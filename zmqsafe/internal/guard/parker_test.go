package guard

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// parkers are all implementations of Parker: each must keep its contract.
var parkers = map[string]func() Parker{
	"token": newTokenParker,
}

func TestParkers(t *testing.T) {
	for name, newParker := range parkers {
		for what, test := range map[string]func(*testing.T, Parker){
			"Unpark ends a Park":                  unparkEndsPark,
			"Unpark before Park counts":           unparkCounts,
			"several Unparks end one Park":        unparksAreOne,
			"the deadline ends a Park":            deadlineEndsPark,
			"a context ends a Park":               contextEndsPark,
			"Unpark and deadline in turn":         unparkAndDeadline,
			"what ended otherwise keeps Unparked": unparkIsKept,
		} {
			t.Run(name+": "+what, func(t *testing.T) {
				bubble(t, name, func(t *testing.T) { test(t, newParker()) })
			})
		}
	}
}

func goPark(p Parker, ctx context.Context, until time.Time) <-chan error {
	done := make(chan error, 1)
	go func() { done <- p.Park(ctx, until) }()
	return done
}

func unparkEndsPark(t *testing.T, p Parker) {
	for range 3 {
		done := goPark(p, t.Context(), time.Time{})
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatal("Park returned by itself:", err)
		default:
		}
		p.Unpark()
		expect(t, done, nil)
	}
}

func unparkCounts(t *testing.T, p Parker) {
	p.Unpark()
	expect(t, goPark(p, t.Context(), time.Time{}), nil)
}

func unparksAreOne(t *testing.T, p Parker) {
	for range 3 {
		p.Unpark()
	}
	expect(t, goPark(p, t.Context(), time.Time{}), nil)
	check(t, "the second Park waits", p.Park(t.Context(), time.Now().Add(time.Second)) == ErrExpired)
}

func deadlineEndsPark(t *testing.T, p Parker) {
	for _, d := range []time.Duration{time.Second, time.Millisecond, 0, -time.Second} {
		start := time.Now()
		check(t, "expired", p.Park(t.Context(), start.Add(d)) == ErrExpired)
		check(t, "in time", time.Since(start) == max(d, 0))
	}
}

func contextEndsPark(t *testing.T, p Parker) {
	ctx, cancel := context.WithCancel(t.Context())
	done := goPark(p, ctx, time.Now().Add(time.Hour))
	synctest.Wait()
	cancel()
	expect(t, done, context.Canceled)
	ctx, cancel = context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	check(t, "ctx.Err()", errors.Is(p.Park(ctx, time.Time{}), context.DeadlineExceeded))
}

func unparkAndDeadline(t *testing.T, p Parker) {
	for range 3 {
		done := goPark(p, t.Context(), time.Now().Add(time.Second))
		synctest.Wait()
		p.Unpark()
		expect(t, done, nil)
		check(t, "no Unpark is left", p.Park(t.Context(), time.Now().Add(time.Second)) == ErrExpired)
		check(t, "no deadline is left", p.Park(cancelled(), time.Time{}) == context.Canceled)
	}
}

func unparkIsKept(t *testing.T, p Parker) {
	check(t, "expired", p.Park(t.Context(), time.Now()) == ErrExpired)
	p.Unpark()
	expect(t, goPark(p, t.Context(), time.Time{}), nil)
}

func cancelled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// A program may have timers as they were before Go 1.23: one that was stopped
// may still have something to say. With one processor, a timer that is due
// fires when the goroutine that an Unpark has readied is about to run.
func TestParkWithOldTimers(t *testing.T) {
	t.Setenv("GODEBUG", "asynctimerchan=1")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	p := newTokenParker()
	for range 100 {
		until := time.Now().Add(time.Millisecond)
		done := goPark(p, t.Context(), until)
		runtime.Gosched()
		for !time.Now().After(until) {
		}
		p.Unpark()
		if <-done != nil {
			_ = p.Park(t.Context(), time.Time{}) // takes the Unpark
		}
		done = goPark(p, t.Context(), time.Now().Add(time.Hour))
		runtime.Gosched()
		p.Unpark()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}
