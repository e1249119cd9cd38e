package shutdown

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// burst is how long the first signal may repeat without being a second one. GNU
// timeout signals the process, and then its process group, which includes it.
// Of 40 Go programs, 7 received both signals, 25 to 240 µs apart.
var burst = 100 * time.Millisecond // tests change it

// watch begins the stop at the first signal and ends the program at the second.
// The function that it returns stops watching.
func (g *Group) watch(signals []os.Signal) (release func()) {
	signals = slices.DeleteFunc(slices.Clone(signals), signal.Ignored)
	if len(signals) == 0 { // signal.Notify would catch all of them
		return func() {}
	}
	caught, ended := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(caught, signals...)
	go func() {
		defer close(ended)
		g.handle(caught, g.force)
	}()
	return func() {
		signal.Stop(caught) // nothing is sent after this
		close(caught)
		<-ended
	}
}

// handle stops the group at the first signal and calls force at the second. It
// returns when caught is closed and empty.
func (g *Group) handle(caught <-chan os.Signal, force func(os.Signal)) {
	first, ok := <-caught
	if !ok {
		return
	}
	at := time.Now()
	g.stop(&SignalError{first})
	for sig := range caught {
		if sig != first || time.Since(at) >= burst {
			force(sig)
		}
	}
}

// force ends the program at once, and logs what it leaves behind.
func (g *Group) force(sig os.Signal) {
	code := 128
	if n, ok := sig.(syscall.Signal); ok {
		code += int(n)
	}
	written := g.log(func(log *slog.Logger) {
		r := g.Report()
		log.Warn("shutdown: second signal: ending at once", "signal", sig.String(), "status", code,
			"workers", counted(names(r.Workers, Running, StillRunning)), "steps", names(r.Steps, Running, Waiting))
	})
	await(time.After(lateLines), written)
	os.Exit(code)
}

// uncatchable says why a signal must not be in [Group.Signals].
var uncatchable = map[syscall.Signal]string{syscall.SIGKILL: "no program can catch it"}

// checkSignal refuses signals that can't tell a program to stop.
func checkSignal(sig os.Signal) error {
	if sig == nil {
		return errors.New("shutdown: Group.Signals has a nil signal")
	}
	n, ok := sig.(syscall.Signal)
	why := uncatchable[n]
	switch {
	case !ok || n < 1 || n > 64:
		why = "there is no such signal"
	case runtime.GOOS == "linux" && n >= 32 && n <= 34:
		why = "the C library reserves it"
	}
	if why != "" {
		return fmt.Errorf("shutdown: Group.Signals has %v: %s: want one such as os.Interrupt, syscall.SIGTERM or syscall.SIGHUP", sig, why)
	}
	return nil
}
