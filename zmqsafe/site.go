package zmqsafe

import (
	"fmt"
	"path/filepath"
	"runtime"
)

// site is where a program called into this package. The file and the line are
// looked up when they are asked for, which is seldom.
type site struct{ pc uintptr }

// caller returns the site that is skip frames above the function that calls it.
func caller(skip int) site {
	var pc [1]uintptr
	runtime.Callers(skip+2, pc[:])
	return site{pc[0]}
}

// String is the last directory, the file and the line: "dir/file.go:42".
func (s site) String() string {
	frame, _ := runtime.CallersFrames([]uintptr{s.pc}).Next()
	if frame.File == "" {
		return "an unknown place"
	}
	dir, file := filepath.Split(frame.File)
	return fmt.Sprintf("%s/%s:%d", filepath.Base(dir), file, frame.Line)
}

// WithCallerSkip is for a helper that makes contexts for others: what is reported
// as the place that made the context is skip frames above the function that calls
// WithCallerSkip. With 1 that is where the helper was called.
func WithCallerSkip(skip int) Option {
	if skip < 0 {
		return func(*contextState) error {
			return invalid("WithCallerSkip(%d): want 0 or more frames", skip)
		}
	}
	made := caller(skip + 1)
	return func(c *contextState) error {
		c.made = made
		return nil
	}
}
