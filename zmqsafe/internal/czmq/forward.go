package czmq

/*
#cgo noescape czmq_forward
#cgo nocallback czmq_forward

#include <stdint.h>
#include <stdlib.h>
#include "czmq.h"

// The message in hand: taken from one socket, and not yet given to another.
typedef struct {
    zmq_msg_t *parts;
    size_t n, cap, bytes;
    int captured;
} czmq_hand;

// Why czmq_forward stopped: it moved as many parts as it was to, the source is
// empty, a destination is full, or there was an error.
enum { CZMQ_MORE, CZMQ_FROM, CZMQ_TO, CZMQ_CAPTURE, CZMQ_ERROR };

typedef struct {
    int why, err, taken, dropped;
    uint64_t messages, bytes, captured;
} czmq_forwarded;

static int czmq_give_part (void *s, zmq_msg_t *msg, int more)
{
    int rc;
    do
        rc = zmq_msg_send (msg, s, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    while (rc < 0 && errno == EINTR);
    return rc;
}

// Makes room for one more part and returns it, empty.
static zmq_msg_t *czmq_grow (czmq_hand *h)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? 2 * h->cap : 8;
        zmq_msg_t *parts = malloc (cap * sizeof *parts);
        if (!parts)
            return NULL;
        for (size_t i = 0; i < h->n; i++) {
            zmq_msg_init (&parts[i]);
            zmq_msg_move (&parts[i], &h->parts[i]);
        }
        free (h->parts);
        h->parts = parts;
        h->cap = cap;
    }
    zmq_msg_init (&h->parts[h->n]);
    return &h->parts[h->n++];
}

// Forgets parts that were given away.
static void czmq_clear (czmq_hand *h)
{
    h->n = h->bytes = 0;
    h->captured = 0;
}

static void czmq_drop (czmq_hand *h)
{
    for (size_t i = 0; i < h->n; i++)
        zmq_msg_close (&h->parts[i]);
    czmq_clear (h);
}

// Takes a whole message. All parts are there when the first one is.
static int czmq_take (void *s, czmq_hand *h)
{
    int more = 1;
    while (more) {
        zmq_msg_t *part = czmq_grow (h);
        int rc;
        if (!part)
            rc = -1;
        else
            do
                rc = zmq_msg_recv (part, s, ZMQ_DONTWAIT);
            while (rc < 0 && errno == EINTR);
        if (rc < 0) {
            int err = part ? errno : ENOMEM;
            czmq_drop (h);
            errno = err;
            return -1;
        }
        h->bytes += zmq_msg_size (part);
        more = zmq_msg_more (part);
    }
    return 0;
}

// Gives all parts to s, which need no closing then, or none and EAGAIN.
//
// Once the first part was accepted, EAGAIN says that the peer which got it is
// gone, and the message with it. libzmq then swallows what is left, up to the
// last part (lb.cpp, lb_t::sendpipe), so that is given all the same; a PAIR
// (type) doesn't, and would give it to the next peer.
static int czmq_give (void *s, int type, zmq_msg_t *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int more = i + 1 < n;
        int rc = czmq_give_part (s, &parts[i], more);
        if (rc < 0 && errno == EAGAIN && i > 0) {
            zmq_msg_close (&parts[i]);
            while (type == ZMQ_PAIR && ++i < n)
                zmq_msg_close (&parts[i]);
            continue;
        }
        // The EAGAIN may be out of date, see czmq_send.
        if (rc < 0 && errno == EAGAIN && (czmq_events (s) & ZMQ_POLLOUT))
            rc = czmq_give_part (s, &parts[i], more);
        if (rc < 0)
            return -1;
    }
    return 0;
}

// Gives a copy, which shares large payloads with the original.
static int czmq_give_copy (void *s, int type, const czmq_hand *h)
{
    zmq_msg_t *copies = malloc (h->n * sizeof *copies);
    if (!copies) {
        errno = ENOMEM;
        return -1;
    }
    for (size_t i = 0; i < h->n; i++) {
        zmq_msg_init (&copies[i]);
        zmq_msg_copy (&copies[i], &h->parts[i]);
    }
    int rc = czmq_give (s, type, copies, h->n);
    int err = errno;
    for (size_t i = 0; rc != 0 && i < h->n; i++)
        zmq_msg_close (&copies[i]);
    free (copies);
    errno = err;
    return rc;
}

// Moves the message in hand on, to capture (or NULL) first. Of a message that
// capture has got, nothing may be left over, so before that it makes sure of to.
//
// To that isn't in the state to send (a REQ that waits for its reply) counts as
// full, as does one that never is. What it refuses for good is dropped: it would
// refuse it again.
static int czmq_pass (void *to, int to_type, void *capture, int capture_type,
                      czmq_hand *h, czmq_forwarded *f)
{
    if (capture && !h->captured) {
        if (!(czmq_events (to) & ZMQ_POLLOUT))
            return CZMQ_TO;
        if (czmq_give_copy (capture, capture_type, h) != 0)
            return errno == EAGAIN ? CZMQ_CAPTURE : CZMQ_ERROR;
        h->captured = 1;
        f->captured++;
    }
    if (czmq_give (to, to_type, h->parts, h->n) == 0)
        return CZMQ_MORE;
    int err = errno;
    if (err == EAGAIN || err == EFSM || err == ENOTSUP)
        return CZMQ_TO;
    czmq_drop (h);
    f->dropped = 1;
    errno = err;
    return CZMQ_ERROR;
}

static czmq_forwarded czmq_forward (void *from, void *to, int to_type,
                                    void *capture, int capture_type,
                                    czmq_hand *h, size_t most)
{
    czmq_forwarded f = {CZMQ_MORE, 0, 0, 0, 0, 0, 0};
    for (size_t parts = 0; parts < most && f.why == CZMQ_MORE;) {
        if (h->n == 0) {
            if (czmq_take (from, h) != 0) {
                f.err = errno;
                f.why = f.err == EAGAIN || f.err == EFSM ? CZMQ_FROM : CZMQ_ERROR;
                break;
            }
            f.taken = 1;
        }
        f.why = czmq_pass (to, to_type, capture, capture_type, h, &f);
        f.err = errno;
        if (f.why == CZMQ_MORE) {
            f.messages++;
            f.bytes += h->bytes;
            parts += h->n;
            czmq_clear (h);
        }
    }
    return f;
}
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// Hand is a message on its way from one socket to another. The zero Hand is
// empty; Free must follow.
type Hand struct{ h C.czmq_hand }

// Why says why Forward stopped.
type Why int

const (
	More    Why = C.CZMQ_MORE    // it moved as many parts as it was to
	From    Why = C.CZMQ_FROM    // there is nothing to receive
	To      Why = C.CZMQ_TO      // the message in hand can't be sent now
	Capture Why = C.CZMQ_CAPTURE // nor its copy
	Failed  Why = C.CZMQ_ERROR
)

// Forwarded is what a call of Forward did.
type Forwarded struct {
	Why             Why
	Errno           syscall.Errno // with Failed
	Taken           bool          // whether a message was received
	Dropped         bool          // with Failed: whether the message in hand was refused for good
	Messages, Bytes uint64        // that were sent
	Captured        uint64        // messages of which capture got a copy
}

// Forward moves messages from one socket to another, and a copy of each to capture
// unless that is nil, until it has moved most parts or more, never blocking. What
// can't be sent yet stays in hand, and is first the next time.
func Forward(from, to unsafe.Pointer, toType int, capture unsafe.Pointer, captureType int, hand *Hand, most int) Forwarded {
	f := C.czmq_forward(from, to, C.int(toType), capture, C.int(captureType), &hand.h, C.size_t(most))
	return Forwarded{
		Why(f.why), syscall.Errno(f.err), f.taken != 0, f.dropped != 0,
		uint64(f.messages), uint64(f.bytes), uint64(f.captured),
	}
}

// Empty reports whether there is no message in hand.
func (hand *Hand) Empty() bool { return hand.h.n == 0 }

// Take puts a message into an empty hand.
func (hand *Hand) Take(parts [][]byte) {
	for _, part := range parts {
		msg := C.czmq_grow(&hand.h)
		if C.zmq_msg_init_size(msg, C.size_t(len(part))) == 0 {
			copy(unsafe.Slice((*byte)(C.zmq_msg_data(msg)), len(part)), part)
			hand.h.bytes += C.size_t(len(part))
		}
	}
}

// Parts copies the message in hand.
func (hand *Hand) Parts() [][]byte {
	msgs := unsafe.Slice(hand.h.parts, hand.h.n)
	parts := make([][]byte, len(msgs))
	for i := range msgs {
		parts[i] = make([]byte, C.zmq_msg_size(&msgs[i]))
		copy(parts[i], unsafe.Slice((*byte)(C.zmq_msg_data(&msgs[i])), len(parts[i])))
	}
	return parts
}

// Drop gives up the message in hand.
func (hand *Hand) Drop() { C.czmq_drop(&hand.h) }

// Free releases what the hand holds.
func (hand *Hand) Free() {
	hand.Drop()
	C.free(unsafe.Pointer(hand.h.parts))
	hand.h = C.czmq_hand{}
}
