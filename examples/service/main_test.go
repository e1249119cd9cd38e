package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/internal/patience"
	"github.com/zmqsafe/zmq-exit/zmqsafe/zmqsafetest"
)

// programVariable names the program that the test binary runs instead of tests.
// So it is built once, and with the race detector if the tests are.
const programVariable = "SERVICE_TEST_PROGRAM"

var programs = map[string]func(){
	"service": main,
	"load":    loadMain,
}

func TestMain(m *testing.M) {
	if program := programs[os.Getenv(programVariable)]; program != nil {
		patience.Bound = limit // a busy system is late with lines that tests look for
		program()
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := zmqsafetest.Find(); err != nil { // even if goleak has found its goroutines
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}

// limit is how long anything in these tests may take before it has hung.
const limit = time.Minute
