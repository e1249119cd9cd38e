package cexit

import (
	"context"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Tests are a Go program, which runs no atexit handlers when it ends. If it ran
// them, the tests would fail here.
func TestMain(m *testing.M) {
	err := Register(closerFunc(func(context.Context) error {
		os.Stderr.WriteString("FAIL: closed at the end of a Go program\n")
		os.Exit(1)
		return nil
	}), time.Minute)
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
