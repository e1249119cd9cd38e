// Package czmq is the hot path into libzmq: sending and receiving one message
// part, and moving messages from socket to socket, without ever blocking, in one
// crossing from Go to C. All else goes through github.com/pebbe/zmq4.
//
// Nothing here takes a lock or looks at a socket's state: the caller holds the
// socket's guard and passes a pointer that is open.
package czmq

/*
#cgo !windows pkg-config: libzmq
#cgo noescape czmq_send
#cgo nocallback czmq_send
#cgo noescape czmq_recv
#cgo nocallback czmq_recv
#cgo noescape czmq_copy
#cgo nocallback czmq_copy
#cgo noescape czmq_events
#cgo nocallback czmq_events
#cgo noescape czmq_type
#cgo nocallback czmq_type

#include <string.h>
#include "czmq.h"

// What a call tells: n is a size in bytes, or a negated errno.
typedef struct {
    long long n;
    int more;
    int events;
} czmq_result;

static int czmq_try_send (void *s, const char *buf, size_t len, int flags)
{
    int rc;
    do
        rc = zmq_send (s, buf, len, flags | ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

// A non-blocking zmq_send looks into the mailbox only about once a
// millisecond. Its EAGAIN may therefore be out of date, and the signal that
// would end a wait already used up: work off the mailbox, then ask again.
// Within a message (first is 0) it must not ask again: there, EAGAIN may say
// that the pipe which took the first parts is gone.
static czmq_result czmq_send (void *s, const char *buf, size_t len, int flags,
                              int first, int want)
{
    czmq_result r = {czmq_try_send (s, buf, len, flags), 0, 0};
    if (r.n == -EAGAIN && (czmq_events (s) & ZMQ_POLLOUT) && first)
        r.n = czmq_try_send (s, buf, len, flags);
    if (want)
        r.events = czmq_events (s);
    return r;
}

// A part that fits into buf is copied there; a larger one stays in msg, for
// czmq_copy to fetch when the caller has made room.
static czmq_result czmq_recv (void *s, char *buf, size_t cap, zmq_msg_t *msg,
                              int want)
{
    czmq_result r = {0, 0, 0};
    int rc;
    zmq_msg_init (msg);
    do
        rc = zmq_msg_recv (msg, s, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    if (rc < 0) {
        r.n = -errno;
        zmq_msg_close (msg);
    } else {
        r.n = zmq_msg_size (msg); // rc is cut off at INT_MAX
        r.more = zmq_msg_more (msg);
        if ((size_t) r.n <= cap) {
            if (r.n > 0) // buf may be NULL, which memcpy must not get
                memcpy (buf, zmq_msg_data (msg), r.n);
            zmq_msg_close (msg);
        }
    }
    if (want)
        r.events = czmq_events (s);
    return r;
}

static void czmq_copy (zmq_msg_t *msg, char *dst, size_t len)
{
    memcpy (dst, zmq_msg_data (msg), len);
    zmq_msg_close (msg);
}

static int czmq_type (void *s)
{
    int type = -1;
    size_t len = sizeof type;
    return zmq_getsockopt (s, ZMQ_TYPE, &type, &len) == 0 ? type : -1;
}
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// Msg holds a received part that did not fit into the buffer given to Recv.
type Msg = C.zmq_msg_t

// Send tries to send data as one message part. It returns the size, or the
// errno; first says that data begins a message. With want it also returns the
// socket's ZMQ_EVENTS as they are afterwards.
func Send(sock unsafe.Pointer, data []byte, flags int, first, want bool) (n, events int, errno syscall.Errno) {
	r := C.czmq_send(sock, (*C.char)(unsafe.Pointer(unsafe.SliceData(data))), C.size_t(len(data)), C.int(flags), cbool(first), cbool(want))
	n, errno = split(r.n)
	return n, int(r.events), errno
}

// Recv tries to receive one message part of n bytes. When n is at most
// len(buf) it is in buf, otherwise in msg, and Copy must follow. With want it
// also returns the socket's ZMQ_EVENTS as they are afterwards.
func Recv(sock unsafe.Pointer, buf []byte, msg *Msg, want bool) (n int, more bool, events int, errno syscall.Errno) {
	r := C.czmq_recv(sock, (*C.char)(unsafe.Pointer(unsafe.SliceData(buf))), C.size_t(len(buf)), msg, cbool(want))
	n, errno = split(r.n)
	return n, r.more != 0, int(r.events), errno
}

// Copy moves the part that Recv left in msg to dst, which has exactly its size.
func Copy(msg *Msg, dst []byte) {
	C.czmq_copy(msg, (*C.char)(unsafe.Pointer(unsafe.SliceData(dst))), C.size_t(len(dst)))
}

// Events is ZMQ_EVENTS of a socket, after its mailbox was worked off.
func Events(sock unsafe.Pointer) int { return int(C.czmq_events(sock)) }

// SocketType is ZMQ_TYPE of a socket, or -1 if sock is none.
func SocketType(sock unsafe.Pointer) int { return int(C.czmq_type(sock)) }

// Compiled is the release of the zmq.h that this package was compiled with.
func Compiled() (major, minor, patch int) {
	return C.ZMQ_VERSION_MAJOR, C.ZMQ_VERSION_MINOR, C.ZMQ_VERSION_PATCH
}

// Loaded is the release of the library that the process has loaded.
func Loaded() (major, minor, patch int) {
	var ma, mi, pa C.int
	C.zmq_version(&ma, &mi, &pa)
	return int(ma), int(mi), int(pa)
}

func split(n C.longlong) (int, syscall.Errno) {
	if n < 0 {
		return -1, syscall.Errno(-n)
	}
	return int(n), 0
}

func cbool(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
