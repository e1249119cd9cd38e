package main

import (
	"io"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// widthOfPipe is for output that isn't a terminal.
const widthOfPipe = 100

// terminalWidth returns how many columns w has: COLUMNS, if that is set, is the user's
// word, otherwise the terminal knows.
func terminalWidth(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok && isTerminal(w) {
		var size struct{ rows, columns, x, y uint16 }
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
		if errno == 0 && size.columns > 0 {
			return int(size.columns)
		}
	}
	return widthOfPipe
}
