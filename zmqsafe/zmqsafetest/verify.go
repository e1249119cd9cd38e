package zmqsafetest

import (
	"fmt"
	"os"
)

// TestingT is the part of [testing.TB] that [VerifyNone] uses.
type TestingT interface {
	Helper()
	Error(args ...any)
}

// TestingM is the part of [testing.M] that [VerifyTestMain] uses.
type TestingM interface {
	Run() int
}

// VerifyNone fails the test if sockets or contexts are open: see [Find], also
// for how long it blocks. Call it at the end of the test:
//
//	defer zmqsafetest.VerifyNone(t)
//
// It looks at the whole process, so it also finds what other tests use at the
// same time. In tests that call t.Parallel use [VerifyTestMain] instead.
func VerifyNone(t TestingT, options ...Option) {
	t.Helper()
	if err := Find(options...); err != nil {
		t.Error(err)
	}
}

// VerifyTestMain runs the tests. If they pass, but sockets or contexts are open
// (see [Find]), it prints those on standard error. Then it ends the process,
// with the exit code of the tests or with 1 for a leak:
//
//	func TestMain(m *testing.M) { zmqsafetest.VerifyTestMain(m) }
//
// The tests may be parallel. The lines that made what is open tell which test
// left it.
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
