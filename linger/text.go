package linger

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const allowed = `use "drop", "forever", or a duration of 0 or more with a unit, such as "250ms" or "1.5s"`

// Parse returns the policy that text means: "drop", "forever", or a duration in
// the format of [time.ParseDuration], such as "250ms". It ignores case and
// surrounding space. It returns an error for negative durations, and for
// numbers without a unit other than "0": ZMQ_LINGER has milliseconds, but
// people may mean seconds.
func Parse(text string) (Policy, error) {
	s := strings.ToLower(strings.TrimSpace(text))
	switch s {
	case "":
		return Policy{}, fmt.Errorf("linger: empty value: %s", allowed)
	case "drop":
		return Drop, nil
	case "forever":
		return Forever, nil
	}
	d, err := time.ParseDuration(s)
	switch {
	case err == nil && d >= 0:
		return finite(d), nil
	case err == nil:
		return Policy{}, fmt.Errorf("linger: negative duration %.40q: %s", text, allowed)
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return Policy{}, fmt.Errorf("linger: number %.40q without a unit: %s", text, allowed)
	}
	return Policy{}, fmt.Errorf("linger: can't read %.40q as a policy: %s", text, allowed)
}

// String returns "drop", "forever", or the duration like
// [time.Duration.String]. [Parse] reads it back as an equal policy.
func (p Policy) String() string {
	switch p {
	case Drop:
		return "drop"
	case Forever:
		return "forever"
	}
	return (p.fromDefault + DefaultDuration).String()
}

// MarshalText returns the text of [Policy.String]. The error is always nil.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText sets the policy to what [Parse] returns for text. If that is an
// error, the policy doesn't change.
func (p *Policy) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
