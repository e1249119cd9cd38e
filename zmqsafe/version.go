package zmqsafe

import (
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/czmq"
)

// checkVersion makes sure that the libzmq that was compiled against and the one
// that is loaded belong together.
func checkVersion() error {
	var compiled, loaded release
	compiled[0], compiled[1], compiled[2] = czmq.Compiled()
	loaded[0], loaded[1], loaded[2] = czmq.Loaded()
	return fits(compiled, loaded)
}

type release [3]int

func (r release) String() string { return fmt.Sprintf("%d.%d.%d", r[0], r[1], r[2]) }

// fits accepts a later patch of the same minor release, which libzmq keeps
// compatible: a distribution's update must not stop a program.
func fits(compiled, loaded release) error {
	if loaded[0] == compiled[0] && loaded[1] == compiled[1] && loaded[2] >= compiled[2] {
		return nil
	}
	return fmt.Errorf("zmqsafe: compiled with libzmq %v, but libzmq %v is loaded; rebuild the program, or install libzmq %d.%d with patch level %d or later",
		compiled, loaded, compiled[0], compiled[1], compiled[2])
}

// rawPointer returns libzmq's socket out of pebbe's, which doesn't export it. It
// makes sure that pebbe's Socket is built as expected, and that libzmq knows what
// it points to.
func rawPointer(raw *zmq4.Socket, t Type) (unsafe.Pointer, error) {
	field := reflect.ValueOf(raw).Elem().FieldByName("soc")
	if field.IsValid() && field.Kind() == reflect.UnsafePointer {
		if p := field.UnsafePointer(); p != nil && czmq.SocketType(p) == int(t) {
			return p, nil
		}
	}
	return nil, errors.New("zmqsafe: this release of github.com/pebbe/zmq4 isn't built as zmqsafe expects: its Socket has no field soc that is libzmq's socket; use v1.4.0")
}
