package cli

import (
	"io"
	"os"
	"strconv"
)

// widthOfPipe is for output that isn't a terminal.
const widthOfPipe = 100

// Width returns how many columns w has. The user may set COLUMNS; otherwise the
// terminal knows.
func Width(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if columns, _ := askTerminal(w); columns > 0 {
		return columns
	}
	return widthOfPipe
}

// Colour reports whether text on w may have colours: on a terminal, unless the
// user has set NO_COLOR.
func Colour(w io.Writer) bool { return IsTerminal(w) && os.Getenv("NO_COLOR") == "" }

// IsTerminal reports whether a reader or writer is a terminal.
func IsTerminal(rw any) bool {
	_, ok := askTerminal(rw)
	return ok
}
