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
	if columns, _ := askTerminal(w); columns > 0 {
		return columns
	}
	return widthOfPipe
}

func isTerminal(w any) bool {
	_, ok := askTerminal(w)
	return ok
}

// askTerminal returns how many columns a terminal has, 0 if it doesn't know. /dev/null is a character device, too, so
// the mode of a file doesn't tell whether it is one.
func askTerminal(w any) (columns int, ok bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	var size struct{ rows, columns, x, y uint16 }
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return int(size.columns), errno == 0
}
