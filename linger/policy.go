package linger

import (
	"fmt"
	"math"
	"time"
)

// DefaultDuration is how long a socket lingers with the [Default] policy.
const DefaultDuration = time.Second

// forever is less than every finite policy has, which is -DefaultDuration or
// more.
const forever time.Duration = math.MinInt64

// Policy is how long a closed socket may linger. It is a small immutable value:
// copy it, compare it with ==, use it as a map key. The zero Policy is
// [Default]. Every Policy is valid, since [For] and [Parse] refuse negative
// durations. It is safe for concurrent use.
type Policy struct {
	// Not the duration itself, so that the zero value is the default, and
	// policies that mean the same are equal.
	fromDefault time.Duration
}

var (
	// Default lingers for [DefaultDuration]. It is the zero Policy.
	Default = Policy{}

	// Drop doesn't wait for unsent messages when the socket is closed: they
	// may be discarded.
	Drop = finite(0)

	// Forever lingers until every message is sent. With a dead peer it never
	// ends.
	Forever = Policy{fromDefault: forever}
)

func finite(d time.Duration) Policy { return Policy{fromDefault: d - DefaultDuration} }

// For returns the policy that lingers for d. For(0) is [Drop]. It returns an
// error if d is negative, even for the -1 that means forever to libzmq: use
// [Forever].
func For(d time.Duration) (Policy, error) {
	if d < 0 {
		return Policy{}, fmt.Errorf("linger: negative duration %v: use 0 or more, or linger.Forever", d)
	}
	return finite(d), nil
}

// MustFor is [For] for durations that are constant in the program, not entered
// by a user. It panics if d is negative.
func MustFor(d time.Duration) Policy {
	p, err := For(d)
	if err != nil {
		panic(err)
	}
	return p
}

// Duration returns how long the policy lingers, and true. For [Forever] it
// returns 0 and false.
func (p Policy) Duration() (d time.Duration, finite bool) {
	if p == Forever {
		return 0, false
	}
	return p.fromDefault + DefaultDuration, true
}

// Milliseconds returns the policy as a value of ZMQ_LINGER: milliseconds, or -1
// for [Forever]. It rounds up, so only [Drop] gives 0. The most is 2147483647
// ms, almost 25 days, which is the largest C int.
func (p Policy) Milliseconds() int {
	d, ok := p.Duration()
	if !ok {
		return -1
	}
	ms := d / time.Millisecond
	if d%time.Millisecond > 0 {
		ms++
	}
	return int(min(ms, math.MaxInt32))
}

// Within returns the policy limited to the time that remains until a deadline:
// it lingers for the shorter of the two. [Forever] becomes remaining. If
// remaining is 0 or less, the result is [Drop].
func (p Policy) Within(remaining time.Duration) Policy {
	remaining = max(remaining, 0)
	if d, ok := p.Duration(); ok && d <= remaining {
		return p
	}
	return finite(remaining)
}
