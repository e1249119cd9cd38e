package zmqsafe

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/pebbe/zmq4"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/czmq"
)

// checkVersion makes sure of what the package rests on: the libzmq that was
// compiled against and the one that is loaded belong together, and raw sockets
// are built the way rawPointer expects.
var checkVersion = sync.OnceValue(func() error {
	var compiled, loaded release
	compiled[0], compiled[1], compiled[2] = czmq.Compiled()
	loaded[0], loaded[1], loaded[2] = czmq.Loaded()
	if err := fits(compiled, loaded); err != nil {
		return err
	}
	return checkRawPointer()
})

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

// rawPointer returns libzmq's socket out of pebbe's, which doesn't export it.
func rawPointer(raw *zmq4.Socket) unsafe.Pointer {
	return reflect.ValueOf(raw).Elem().FieldByName("soc").UnsafePointer()
}

// checkRawPointer makes sure that pebbe's Socket has the field which rawPointer
// reads, and that libzmq knows what it points to.
func checkRawPointer() error {
	const advice = "zmqsafe: this release of github.com/pebbe/zmq4 isn't built as zmqsafe expects (%s); use v1.4.0"
	field, ok := reflect.TypeFor[zmq4.Socket]().FieldByName("soc")
	if !ok || field.Type.Kind() != reflect.UnsafePointer {
		return fmt.Errorf(advice, "Socket has no field soc of type unsafe.Pointer")
	}
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	defer ctx.Term()
	soc, err := ctx.NewSocket(PAIR)
	if err != nil {
		return err
	}
	defer soc.Close()
	if p := rawPointer(soc); p == nil || czmq.SocketType(p) != int(PAIR) {
		return fmt.Errorf(advice, "Socket.soc is not libzmq's socket")
	}
	return nil
}
