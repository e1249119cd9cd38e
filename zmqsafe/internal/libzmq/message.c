#include "libzmq.h"

#include <errno.h>
#include <string.h>

// Reading ZMQ_EVENTS makes libzmq process every command in the socket's mailbox,
// so the next command is certain to signal ZMQ_FD.
int zmqsafe_events (void *s)
{
    int events = 0;
    size_t len = sizeof events;
    int rc;
    do
        rc = zmq_getsockopt (s, ZMQ_EVENTS, &events, &len);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? events : 0;
}

int zmqsafe_type (void *s)
{
    int type = -1;
    size_t len = sizeof type;
    return zmq_getsockopt (s, ZMQ_TYPE, &type, &len) == 0 ? type : -1;
}

static int try_send (void *s, const char *buf, size_t len, int flags)
{
    int rc;
    do
        rc = zmq_send (s, buf, len, flags | ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    return rc < 0 ? -errno : rc;
}

// A non-blocking zmq_send looks into the mailbox only about once a millisecond.
// Its EAGAIN may therefore be out of date, and the signal that would end a wait
// already used up. So process the mailbox, then try again.
//
// Within a message (first is false) it must not try again: there, EAGAIN may say
// that the pipe which took the first parts is gone. But if the socket has become
// ready by processing the mailbox, no signal will say so: with EAGAIN the result
// has the events whether they are wanted or not.
zmqsafe_result zmqsafe_send (void *s, const char *buf, size_t len, int flags, bool first,
                             bool want_events)
{
    zmqsafe_result r = {.n = try_send (s, buf, len, flags)};
    if (r.n == -EAGAIN) {
        r.events = zmqsafe_events (s);
        if ((r.events & ZMQ_POLLOUT) && first)
            r.n = try_send (s, buf, len, flags);
    }
    if (want_events)
        r.events = zmqsafe_events (s);
    return r;
}

// A part that fits into buf is copied there; a larger one stays in msg, for
// zmqsafe_copy to fetch when the caller has made room.
zmqsafe_result zmqsafe_recv (void *s, char *buf, size_t cap, zmq_msg_t *msg, bool want_events)
{
    zmqsafe_result r = {0};
    int rc;
    zmq_msg_init (msg);
    do
        rc = zmq_msg_recv (msg, s, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    if (rc < 0) {
        r.n = -errno;
        zmq_msg_close (msg);
    } else {
        size_t size = zmq_msg_size (msg); // rc is cut off at INT_MAX
        r.n = (int64_t) size;
        r.more = zmq_msg_more (msg);
        if (size <= cap)
            zmqsafe_copy (msg, buf, size);
    }
    if (want_events)
        r.events = zmqsafe_events (s);
    return r;
}

void zmqsafe_copy (zmq_msg_t *msg, char *dst, size_t len)
{
    if (len > 0) // dst may be NULL, which memcpy must not get
        memcpy (dst, zmq_msg_data (msg), len);
    zmq_msg_close (msg);
}
