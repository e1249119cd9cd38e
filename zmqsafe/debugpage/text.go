package debugpage

import (
	"fmt"
	"time"
)

// short formats a duration to two units at most: 12ms, 3.4s, 4m12s, 5h10m,
// 3d4h.
func short(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Truncate(time.Second / 10).String()
	case d < time.Hour:
		return d.Truncate(time.Second).String()
	case d < day:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
}

// number separates the thousands of an unsigned integer: 1,234,567.
func number(n any) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// count is "1 socket" or "2 sockets".
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return number(n) + " " + what
}
