package guard

import (
	"context"
	"errors"
	"time"
)

// Parker is how one goroutine waits and others wake it. One goroutine at a time
// calls Park; any may call Unpark at any time.
type Parker interface {
	// Park blocks until Unpark is called, and returns nil. If Unpark was called
	// since a Park last returned nil, it returns nil at once. It returns
	// ctx.Err() when ctx is done, and ErrExpired once until has passed, unless
	// that is zero.
	Park(ctx context.Context, until time.Time) error

	// Unpark ends one Park: the one under way, or else the next. It never
	// blocks, and several calls before that Park returns end only that one.
	Unpark()
}

// ErrExpired is what [Parker.Park] returns when its deadline has passed. No
// context returns it.
var ErrExpired = errors.New("guard: the deadline of a Park has passed")

// tokenParker waits for a token in a channel.
type tokenParker struct {
	token chan struct{}
	timer *time.Timer // made when it is needed, and kept until it has fired
}

func newTokenParker() Parker { return &tokenParker{token: make(chan struct{}, 1)} }

func (p *tokenParker) Unpark() {
	select {
	case p.token <- struct{}{}:
	default:
	}
}

func (p *tokenParker) Park(ctx context.Context, until time.Time) error {
	var expired <-chan time.Time
	if !until.IsZero() {
		if p.timer == nil {
			p.timer = time.NewTimer(time.Until(until))
		} else {
			p.timer.Reset(time.Until(until))
		}
		defer func() {
			if !p.timer.Stop() { // it may still have something to say if GODEBUG has asynctimerchan=1
				p.timer = nil
			}
		}()
		expired = p.timer.C
	}
	select {
	case <-p.token:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-expired:
		return ErrExpired
	}
}
