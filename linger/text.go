package linger

import (
	"encoding"
	"fmt"
	"strconv"
	"strings"
	"time"
)

var (
	_ encoding.TextMarshaler   = Policy{}
	_ encoding.TextUnmarshaler = (*Policy)(nil)
)

const allowed = `use "drop", "forever", or a duration of 0 or more with a unit, such as "250ms" or "1.5s"`

// Parse reads a policy: "drop", "forever", or a duration as [time.ParseDuration] takes it, such as "250ms". Upper case and
// surrounding blanks don't matter. Negative durations are refused, and so are numbers without a unit other than "0", because
// ZMQ_LINGER counts milliseconds where people think of seconds.
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
	case isNumber(s):
		return Policy{}, fmt.Errorf("linger: number %.40q without a unit: %s", text, allowed)
	default:
		return Policy{}, fmt.Errorf("linger: can't read %.40q as a policy: %s", text, allowed)
	}
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// String returns "drop", "forever", or the duration as [time.Duration] writes it. [Parse] reads it back to an equal policy.
func (p Policy) String() string {
	switch p {
	case Drop:
		return "drop"
	case Forever:
		return "forever"
	}
	d, _ := p.Duration()
	return d.String()
}

// MarshalText returns what [Policy.String] does. The error is always nil.
func (p Policy) MarshalText() ([]byte, error) {
	return []byte(p.String()), nil
}

// UnmarshalText sets the policy to what [Parse] makes of text. On an error the policy stays as it was.
func (p *Policy) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
