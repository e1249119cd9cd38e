package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/zmqsafe/zmqsafetest"
)

// programVariable names the program that the test binary is to be, instead of running tests: so it is built once, and with
// the race detector where the tests are.
const programVariable = "SERVICE_TEST_PROGRAM"

var programs = map[string]func(){
	"service": main,
	"load":    loadMain,
}

func TestMain(m *testing.M) {
	if program := programs[os.Getenv(programVariable)]; program != nil {
		program()
		return
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := zmqsafetest.Find(); err != nil { // also when goleak has found the goroutines of it
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}

// limit is how long anything in these tests may take before it counts as hung.
const limit = 30 * time.Second
