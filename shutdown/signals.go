package shutdown

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// burst is within what time two signals may be one: GNU timeout sends its signal
// to the process, and then to the process group, which is the process again, and
// SIGCONT after both. Counted with Go programs, that arrived as two signals, 25
// to 240 µs apart, in 7 of 40 runs.
const burst = 100 * time.Millisecond

// watch begins the stop at the first signal and ends the program at the second.
// It returns the function that gives the signals back.
func (g *Group) watch(signals []os.Signal) (release func()) {
	signals = slices.DeleteFunc(slices.Clone(signals), signal.Ignored)
	if len(signals) == 0 { // for signal.Notify that would mean all
		return func() {}
	}
	caught, continued := make(chan os.Signal, 2), make(chan os.Signal, 1)
	signal.Notify(caught, signals...)
	if sigcont != nil {
		signal.Notify(continued, sigcont)
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		g.obey(caught, continued, end, g.force)
	}()
	return func() {
		signal.Stop(caught)
		signal.Stop(continued)
		close(end)
		<-ended
	}
}

// obey stops at the first signal and calls force at the second, until end is closed.
func (g *Group) obey(caught, continued <-chan os.Signal, end <-chan struct{}, force func(os.Signal)) {
	var first os.Signal
	var at time.Time
	for {
		var sig os.Signal
		select {
		case sig = <-caught:
		case <-end:
			select {
			case sig = <-caught: // from before
			default:
				return
			}
		}
		switch {
		case first == nil:
			first, at = sig, time.Now()
			select {
			case <-continued: // from earlier
			default:
			}
			g.stop(&SignalError{sig})
		case sig == first && time.Since(at) < burst && arrives(continued, burst):
			// the same signal from the same sender
		default:
			force(sig)
		}
	}
}

func arrives(c <-chan os.Signal, within time.Duration) bool {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}

// force ends the program, and says what it leaves behind.
func (g *Group) force(sig os.Signal) {
	code := 128
	if n, ok := sig.(syscall.Signal); ok {
		code += int(n)
	}
	g.log(func(log *slog.Logger) {
		log.Warn("shutdown: second signal: ending at once", "signal", sig.String(), "status", code,
			"workers", counted(g.runningNames()), "steps", g.openSteps())
	})
	os.Exit(code)
}

// checkSignal refuses what a program can't be told by.
func checkSignal(sig os.Signal) error {
	if sig == nil {
		return errors.New("shutdown: Group.Signals has a nil signal")
	}
	if why := uncatchable(sig); why != "" {
		return fmt.Errorf("shutdown: Group.Signals has %v: %s: want one such as os.Interrupt, syscall.SIGTERM or syscall.SIGHUP", sig, why)
	}
	return nil
}
