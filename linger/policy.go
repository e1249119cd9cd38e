package linger

import (
	"fmt"
	"math"
	"time"
)

// DefaultDuration is how long a socket lingers under the [Default] policy.
const DefaultDuration = time.Second

// forever is out of reach of every finite policy: the least of those is -DefaultDuration.
const forever time.Duration = math.MinInt64

// Policy is how long a closed socket may linger over unsent messages. It is a small value: copy it, compare it with ==,
// use it as a map key. The zero Policy is [Default]. Every Policy is valid, because a negative duration never becomes one.
// A Policy is immutable and safe for concurrent use.
type Policy struct {
	// The difference to DefaultDuration rather than the duration itself: so the zero value is the default, and two
	// policies that mean the same are equal.
	fromDefault time.Duration
}

var (
	// Default lingers for [DefaultDuration]. It is the zero Policy.
	Default = Policy{}

	// Drop discards unsent messages when the socket is closed.
	Drop = finite(0)

	// Forever lingers until every message is sent, which against a dead peer is never.
	Forever = Policy{fromDefault: forever}
)

func finite(d time.Duration) Policy {
	return Policy{fromDefault: d - DefaultDuration}
}

// For returns the policy that lingers for d. For(0) is [Drop]. A negative d is refused, also the -1 that means forever
// to libzmq: [Forever] is to be asked for by name. For durations that are fixed in the source there is [MustFor].
func For(d time.Duration) (Policy, error) {
	if d < 0 {
		return Policy{}, fmt.Errorf("linger: negative duration %v: use 0 or more, or linger.Forever", d)
	}
	return finite(d), nil
}

// MustFor is [For] for durations that are fixed in the source. It panics when d is negative, so use For for a duration that
// comes from outside.
func MustFor(d time.Duration) Policy {
	p, err := For(d)
	if err != nil {
		panic(err)
	}
	return p
}

// Duration returns how long the policy lingers, and true. For [Forever] it returns 0 and false.
func (p Policy) Duration() (d time.Duration, finite bool) {
	if p == Forever {
		return 0, false
	}
	return p.fromDefault + DefaultDuration, true
}

// Milliseconds returns the policy as a value of ZMQ_LINGER: milliseconds, or -1 for [Forever]. It rounds up, so only
// [Drop] gives 0, and stops at the largest C int, 2147483647 ms or almost 25 days.
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

// Within returns the policy cut to what remains until a deadline: it lingers for the shorter of the two. [Forever] becomes
// remaining, and when nothing remains, or less, the result is [Drop].
func (p Policy) Within(remaining time.Duration) Policy {
	remaining = max(remaining, 0)
	if d, ok := p.Duration(); ok && d <= remaining {
		return p
	}
	return finite(remaining)
}
