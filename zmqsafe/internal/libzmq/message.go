// Package libzmq is the hot path into libzmq: it sends and receives one message
// part, or moves messages from socket to socket, in one crossing from Go to C.
// Everything else goes through github.com/pebbe/zmq4.
//
// Nothing here blocks, takes a lock or looks at a socket's state. The caller
// holds the socket's lock, and passes the pointer of a socket that is open.
package libzmq

/*
#cgo !windows pkg-config: libzmq
#cgo CFLAGS: -Wall -Wextra -Wshadow -Wconversion
#cgo noescape zmqsafe_send
#cgo nocallback zmqsafe_send
#cgo noescape zmqsafe_recv
#cgo nocallback zmqsafe_recv
#cgo noescape zmqsafe_copy
#cgo nocallback zmqsafe_copy
#cgo noescape zmqsafe_events
#cgo nocallback zmqsafe_events
#cgo noescape zmqsafe_type
#cgo nocallback zmqsafe_type
#include "libzmq.h"
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// Msg holds a received part that did not fit into the buffer given to [Recv].
type Msg struct {
	_   [0]uintptr // libzmq wants the alignment of a pointer, which cgo doesn't give
	msg C.zmq_msg_t
}

// Send tries to send data as one message part, and returns its size or the
// errno. first says that data begins a message. With wantEvents, or with
// EAGAIN, Send also returns what [Events] returns afterwards.
func Send(sock unsafe.Pointer, data []byte, flags int, first, wantEvents bool) (n, events int, errno syscall.Errno) {
	r := C.zmqsafe_send(sock, pointer(data), C.size_t(len(data)), C.int(flags), C.bool(first), C.bool(wantEvents))
	n, errno = split(r.n)
	return n, int(r.events), errno
}

// Recv tries to receive one message part, and returns its size n or the errno.
// If n is at most len(buf), the part is in buf; otherwise it is in msg, and the
// caller must call [Copy]. With wantEvents, Recv also returns what [Events]
// returns afterwards.
func Recv(sock unsafe.Pointer, buf []byte, msg *Msg, wantEvents bool) (n int, more bool, events int, errno syscall.Errno) {
	r := C.zmqsafe_recv(sock, pointer(buf), C.size_t(len(buf)), &msg.msg, C.bool(wantEvents))
	n, errno = split(r.n)
	return n, bool(r.more), int(r.events), errno
}

// Copy moves the part that [Recv] left in msg to dst, which has exactly its
// size.
func Copy(msg *Msg, dst []byte) { C.zmqsafe_copy(&msg.msg, pointer(dst), C.size_t(len(dst))) }

// Events processes the commands in a socket's mailbox, and returns its
// ZMQ_EVENTS. It returns 0 if sock is no socket.
func Events(sock unsafe.Pointer) int { return int(C.zmqsafe_events(sock)) }

// SocketType returns a socket's ZMQ_TYPE, or -1 if sock is no socket.
func SocketType(sock unsafe.Pointer) int { return int(C.zmqsafe_type(sock)) }

// Compiled returns the version of the zmq.h that this package was compiled
// with.
func Compiled() (major, minor, patch int) {
	return C.ZMQ_VERSION_MAJOR, C.ZMQ_VERSION_MINOR, C.ZMQ_VERSION_PATCH
}

// Loaded returns the version of the library that the process has loaded.
func Loaded() (major, minor, patch int) {
	var ma, mi, pa C.int
	C.zmq_version(&ma, &mi, &pa)
	return int(ma), int(mi), int(pa)
}

func pointer(data []byte) *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(data))) }

func split(n C.int64_t) (int, syscall.Errno) {
	if n < 0 {
		return -1, syscall.Errno(-n)
	}
	return int(n), 0
}
