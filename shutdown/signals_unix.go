//go:build unix

package shutdown

import (
	"os"
	"runtime"
	"syscall"
)

var sigcont os.Signal = syscall.SIGCONT

// uncatchable says why sig never reaches a Go program, or can't be relied on to
// come from outside.
func uncatchable(sig os.Signal) string {
	n, ok := sig.(syscall.Signal)
	switch {
	case !ok || n < 1 || n > 64:
		return "there is no such signal"
	case n == syscall.SIGKILL || n == syscall.SIGSTOP:
		return "no program can catch it"
	case n == syscall.SIGURG:
		return "Go's scheduler sends it all the time"
	case runtime.GOOS == "linux" && n >= 32 && n <= 34:
		return "the C library keeps it to itself"
	}
	return ""
}
