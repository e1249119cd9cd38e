package zmqsafetest

import (
	"fmt"
	"os"
)

// TestingM is the part of testing.M that VerifyTestMain uses.
type TestingM interface {
	Run() int
}

// VerifyTestMain runs the tests and, if they passed, fails the run if sockets or
// contexts are open, see Find. It ends the process:
//
//	func TestMain(m *testing.M) { zmqsafetest.VerifyTestMain(m) }
//
// The tests may be parallel. Which one left a socket, the place that made it tells.
func VerifyTestMain(m TestingM, options ...Option) {
	code := m.Run()
	if code == 0 {
		if err := Find(options...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
