//go:build unix

package shutdown

import "syscall"

func init() {
	uncatchable[syscall.SIGSTOP] = uncatchable[syscall.SIGKILL]
	uncatchable[syscall.SIGURG] = "Go's scheduler uses it"
}
