package libzmq

/*
#cgo noescape zmqsafe_forward
#cgo nocallback zmqsafe_forward
#include "libzmq.h"
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// InFlight holds the message in flight: taken from one socket, and not yet
// given to another. The zero InFlight is empty; the owner must call
// [InFlight.Free].
type InFlight struct{ message C.zmqsafe_in_flight }

// Why says why [Forward] stopped.
type Why int

const (
	More        Why = C.ZMQSAFE_MORE         // it moved the parts asked for, and there may be more
	FromEmpty   Why = C.ZMQSAFE_FROM_EMPTY   // there is nothing to receive
	ToFull      Why = C.ZMQSAFE_TO_FULL      // the message in flight can't be sent now
	CaptureFull Why = C.ZMQSAFE_CAPTURE_FULL // its copy can't be sent now
	Failed      Why = C.ZMQSAFE_FAILED       // see Errno
)

// Forwarded is the result of [Forward].
type Forwarded struct {
	Why             Why
	Errno           syscall.Errno // with Failed
	Taken           bool          // whether a message was received
	Dropped         bool          // with Failed: whether the message in flight was refused for good
	Messages, Bytes uint64        // that were sent
	Captured        uint64        // messages of which capture got a copy
}

// Forward moves messages from one socket to another, and a copy of each to
// capture unless that is nil, until it has moved most parts or more. A message
// that can't be sent yet stays in flight, and is the first one the next time.
func Forward(from, to, capture unsafe.Pointer, inFlight *InFlight, most int) Forwarded {
	f := C.zmqsafe_forward(from, to, capture, &inFlight.message, C.size_t(most))
	return Forwarded{
		Why(f.why), syscall.Errno(f.err), bool(f.taken), bool(f.dropped),
		uint64(f.messages), uint64(f.bytes), uint64(f.captured),
	}
}

// Empty reports whether there is no message in flight.
func (f *InFlight) Empty() bool { return f.message.n == 0 }

// Put copies a message into an empty InFlight. It panics if there is no memory
// for that.
func (f *InFlight) Put(parts [][]byte) {
	for _, part := range parts {
		if C.zmqsafe_put(&f.message, pointer(part), C.size_t(len(part))) != 0 {
			panic("libzmq: out of memory")
		}
	}
}

// Parts returns a copy of the message in flight.
func (f *InFlight) Parts() [][]byte {
	messages := unsafe.Slice(f.message.parts, f.message.n)
	parts := make([][]byte, len(messages))
	for i := range messages {
		parts[i] = make([]byte, C.zmq_msg_size(&messages[i]))
		copy(parts[i], unsafe.Slice((*byte)(C.zmq_msg_data(&messages[i])), len(parts[i])))
	}
	return parts
}

// Free releases all memory that f holds, with the message in flight.
func (f *InFlight) Free() { C.zmqsafe_free(&f.message) }
