package libzmq

import (
	"os"
	"testing"

	"github.com/pebbe/zmq4"
)

// The default context is closed, so that make valgrind sees no leak.
func TestMain(m *testing.M) {
	code := m.Run()
	if err := zmq4.Term(); err != nil {
		panic(err)
	}
	os.Exit(code)
}
