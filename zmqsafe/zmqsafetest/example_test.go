package zmqsafetest_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
	"github.com/zmqsafe/zmq-exit/zmqsafe/zmqsafetest"
)

var (
	t *testing.T
	m *testing.M
)

// A program forgets a socket, and a context that has none.
func ExampleFind() {
	ctx, err := zmqsafe.NewContext()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ctx.Close()
	pull, _ := ctx.NewSocket(zmqsafe.PULL)
	if err := pull.Bind("inproc://jobs"); err != nil {
		fmt.Println(err)
	}
	another, _ := zmqsafe.NewContext()
	defer another.Close()
	fmt.Println(zmqsafetest.Find())
	pull.Close() // until here the garbage collector has left it alone
	// Output:
	// zmqsafetest: still open: 1 socket in 2 contexts
	//   context made at zmqsafetest/example_test.go:21
	//       PULL socket made at zmqsafetest/example_test.go:27 (inproc://jobs)
	//   context made at zmqsafetest/example_test.go:31, without sockets
	// Close each context, which closes its sockets: defer ctx.Close(), or make it with zmqsafetest.NewContext(t).
}

// goleak ends the process itself, so Find goes into its Cleanup option. Without
// goleak, use VerifyTestMain.
func ExampleFind_goleak() {
	// In TestMain(m *testing.M):
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := zmqsafetest.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}))
}

func ExampleVerifyTestMain() {
	// In TestMain(m *testing.M):
	zmqsafetest.VerifyTestMain(m)
}

// A cleanup closes the context at the end of the test. The test fails if it
// hasn't closed its sockets itself.
func ExampleNewContext() {
	// In a TestXxx(t *testing.T):
	ctx := zmqsafetest.NewContext(t)
	defer zmqsafetest.VerifyNone(t, zmqsafetest.IgnoreCurrent())
	pull, err := ctx.NewSocket(zmqsafe.PULL)
	if err != nil {
		t.Fatal(err)
	}
	defer pull.Close()
}
