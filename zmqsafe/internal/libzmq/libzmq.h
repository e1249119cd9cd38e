// The C of package libzmq. Go reaches each of these functions in one crossing,
// and none of them blocks.
#ifndef ZMQSAFE_LIBZMQ_H
#define ZMQSAFE_LIBZMQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#if !defined ZMQ_VERSION || ZMQ_VERSION < ZMQ_MAKE_VERSION(4, 3, 0)
#error "zmqsafe needs libzmq 4.3 or later, and this zmq.h is older (Debian: install libzmq3-dev)"
#endif

// message.c

typedef struct {
    int64_t n; // a size in bytes, or a negated errno
    int events;
    bool more;
} zmqsafe_result;

zmqsafe_result zmqsafe_send (void *s, const char *buf, size_t len, int flags, bool first,
                             bool want_events);
zmqsafe_result zmqsafe_recv (void *s, char *buf, size_t cap, zmq_msg_t *msg, bool want_events);
void zmqsafe_copy (zmq_msg_t *msg, char *dst, size_t len);
int zmqsafe_events (void *s);
int zmqsafe_type (void *s);

// forward.c

// A message that was taken from one socket and not yet given to another.
typedef struct {
    zmq_msg_t *parts;
    size_t n, cap, bytes;
    bool captured;
} zmqsafe_in_flight;

// Why zmqsafe_forward stopped.
enum { ZMQSAFE_MORE, ZMQSAFE_FROM_EMPTY, ZMQSAFE_TO_FULL, ZMQSAFE_CAPTURE_FULL, ZMQSAFE_FAILED };

typedef struct {
    uint64_t messages, bytes, captured;
    int why, err;
    bool taken, dropped;
} zmqsafe_forwarded;

zmqsafe_forwarded zmqsafe_forward (void *from, void *to, void *capture, zmqsafe_in_flight *f,
                                   size_t most);
int zmqsafe_put (zmqsafe_in_flight *f, const char *data, size_t len);
void zmqsafe_free (zmqsafe_in_flight *f);

// discard.c

typedef struct {
    uint64_t messages;
    bool at_least; // there are more
} zmqsafe_discarded;

zmqsafe_discarded zmqsafe_discard (void *s, int64_t nanoseconds);

#endif
