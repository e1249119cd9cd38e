//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package cli

import (
	"os"
	"syscall"
	"unsafe"
)

// askTerminal returns how many columns a terminal has, or 0 if it doesn't know.
// The mode of a file doesn't tell whether it is a terminal: /dev/null is a
// character device, too.
func askTerminal(rw any) (columns int, ok bool) {
	f, ok := rw.(*os.File)
	if !ok {
		return 0, false
	}
	var size struct{ rows, columns, x, y uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return int(size.columns), errno == 0
}
