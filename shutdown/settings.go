package shutdown

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"
)

// settings are the fields of a Group, checked, with the defaults filled in.
type settings struct {
	timeout, grace, step time.Duration
	signals              []os.Signal
}

var defaultSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM}

func defaults() *settings {
	return &settings{timeout: DefaultTimeout, grace: DefaultTimeout / 2, signals: defaultSignals}
}

// readFields returns the settings, with the default in the place of each that is
// wrong, and what is wrong.
func (g *Group) readFields() (*settings, error) {
	s := defaults()
	var errs []error
	set := func(name string, to *time.Duration, d time.Duration) {
		switch {
		case d < 0:
			errs = append(errs, fmt.Errorf("shutdown: Group.%s is %v: want a positive duration, or 0 for the default", name, d))
		case d > 0:
			*to = d
		}
	}
	set("Timeout", &s.timeout, g.Timeout)
	s.grace = s.timeout / 2
	set("Grace", &s.grace, g.Grace)
	set("StepTimeout", &s.step, g.StepTimeout)
	if s.grace >= s.timeout && g.Grace > 0 {
		errs = append(errs, fmt.Errorf("shutdown: Group.Grace is %v: want less than Timeout, %v, which is for closing, too", s.grace, s.timeout))
		s.grace = s.timeout / 2
	}
	if g.Signals != nil {
		s.signals = nil
		for _, sig := range g.Signals {
			if err := checkSignal(sig); err != nil {
				errs = append(errs, err)
				continue
			}
			s.signals = append(s.signals, sig)
		}
	}
	return s, errors.Join(errs...)
}

// configure reads the fields, the first time it is called. What is wrong with them begins the stop.
func (g *Group) configure() *settings {
	g.lock()
	defer g.mu.Unlock()
	if g.settings == nil {
		s, err := g.readFields()
		g.settings = s
		if err != nil {
			g.failLocked(err)
		}
	}
	return g.settings
}

// logger returns the Logger. While the setup function of Main may still set it,
// that is slog's default.
func (g *Group) logger() *slog.Logger {
	if !g.setupReturned() || g.Logger == nil {
		return slog.Default()
	}
	return g.Logger
}

func (g *Group) setupReturned() bool {
	if g.setup == nil {
		return true
	}
	select {
	case <-g.setup:
		return true
	default:
		return false
	}
}
