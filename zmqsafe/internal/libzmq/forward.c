#include "libzmq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// Makes room for one more part and returns it, empty.
static zmq_msg_t *add_part (zmqsafe_in_flight *f)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 8;
        zmq_msg_t *parts = malloc (cap * sizeof *parts);
        if (!parts)
            return NULL;
        for (size_t i = 0; i < f->n; i++) {
            zmq_msg_init (&parts[i]);
            zmq_msg_move (&parts[i], &f->parts[i]);
        }
        free (f->parts);
        f->parts = parts;
        f->cap = cap;
    }
    zmq_msg_init (&f->parts[f->n]);
    return &f->parts[f->n++];
}

// Adds a part with a copy of data. Returns -1 if there is no memory for it.
int zmqsafe_put (zmqsafe_in_flight *f, const char *data, size_t len)
{
    zmq_msg_t *part = add_part (f);
    if (!part)
        return -1;
    if (zmq_msg_init_size (part, len) != 0) {
        f->n--;
        return -1;
    }
    if (len > 0) // data may be NULL, which memcpy must not get
        memcpy (zmq_msg_data (part), data, len);
    f->bytes += len;
    return 0;
}

// Forgets parts that another socket has now.
static void forget (zmqsafe_in_flight *f)
{
    f->n = f->bytes = 0;
    f->captured = false;
}

static void close_all (zmq_msg_t *parts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        zmq_msg_close (&parts[i]);
}

static void drop (zmqsafe_in_flight *f)
{
    close_all (f->parts, f->n);
    forget (f);
}

void zmqsafe_free (zmqsafe_in_flight *f)
{
    drop (f);
    free (f->parts);
    f->parts = NULL;
    f->cap = 0;
}

static int take_part (void *s, zmq_msg_t *part)
{
    int rc;
    do
        rc = zmq_msg_recv (part, s, ZMQ_DONTWAIT);
    while (rc < 0 && errno == EINTR);
    return rc;
}

// Takes a whole message from s. When its first part is there, all are.
static int take (void *s, zmqsafe_in_flight *f)
{
    zmq_msg_t *part;
    do {
        part = add_part (f);
        if (!part || take_part (s, part) < 0) {
            int err = errno;
            drop (f);
            errno = err;
            return -1;
        }
        f->bytes += zmq_msg_size (part);
    } while (zmq_msg_more (part));
    return 0;
}

static int give_part (void *s, zmq_msg_t *part, bool more)
{
    int rc;
    do
        rc = zmq_msg_send (part, s, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
    while (rc < 0 && errno == EINTR);
    return rc;
}

// Gives all parts to s, which then need no closing, or none and EAGAIN.
//
// After the first part was accepted, EAGAIN says that the peer which got it is
// gone, and the message with it. libzmq then swallows what is left, up to the
// last part (lb.cpp, lb_t::sendpipe), so give it the rest anyway. A PAIR doesn't
// swallow it, and would send it to the next peer.
static int give (void *s, zmq_msg_t *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool more = i + 1 < n;
        int rc = give_part (s, &parts[i], more);
        if (rc < 0 && errno == EAGAIN && i > 0) {
            if (zmqsafe_type (s) == ZMQ_PAIR) {
                close_all (&parts[i], n - i);
                return 0;
            }
            zmq_msg_close (&parts[i]);
            continue;
        }
        // The EAGAIN may be out of date, see zmqsafe_send.
        if (rc < 0 && errno == EAGAIN && (zmqsafe_events (s) & ZMQ_POLLOUT))
            rc = give_part (s, &parts[i], more);
        if (rc < 0)
            return -1;
    }
    return 0;
}

// Gives a copy, which shares large payloads with the original.
static int give_copy (void *s, const zmqsafe_in_flight *f)
{
    zmq_msg_t *copies = malloc (f->n * sizeof *copies);
    if (!copies) {
        errno = ENOMEM;
        return -1;
    }
    for (size_t i = 0; i < f->n; i++) {
        zmq_msg_init (&copies[i]);
        zmq_msg_copy (&copies[i], &f->parts[i]);
    }
    int rc = give (s, copies, f->n);
    int err = errno;
    if (rc != 0)
        close_all (copies, f->n);
    free (copies);
    errno = err;
    return rc;
}

// Passes the message in flight on: a copy to capture, unless that is NULL, then
// the message itself to the destination. Once capture has its copy, the message
// must go too, so check first that the destination has room.
//
// A destination that isn't in the state to send (a REQ that waits for its reply),
// or never is, counts as full. A message that it refuses for good is dropped, for
// it would refuse it again.
static int pass (void *to, void *capture, zmqsafe_in_flight *f, zmqsafe_forwarded *r)
{
    if (capture && !f->captured) {
        if (!(zmqsafe_events (to) & ZMQ_POLLOUT))
            return ZMQSAFE_TO_FULL;
        if (give_copy (capture, f) != 0)
            return errno == EAGAIN ? ZMQSAFE_CAPTURE_FULL : ZMQSAFE_FAILED;
        f->captured = true;
        r->captured++;
    }
    if (give (to, f->parts, f->n) == 0)
        return ZMQSAFE_MORE;
    int err = errno;
    if (err == EAGAIN || err == EFSM || err == ENOTSUP)
        return ZMQSAFE_TO_FULL;
    drop (f);
    r->dropped = true;
    errno = err;
    return ZMQSAFE_FAILED;
}

zmqsafe_forwarded zmqsafe_forward (void *from, void *to, void *capture, zmqsafe_in_flight *f,
                                   size_t most)
{
    zmqsafe_forwarded r = {.why = ZMQSAFE_MORE};
    for (size_t parts = 0; parts < most;) {
        if (f->n == 0) {
            if (take (from, f) != 0) {
                r.err = errno;
                r.why = r.err == EAGAIN || r.err == EFSM ? ZMQSAFE_FROM_EMPTY : ZMQSAFE_FAILED;
                return r;
            }
            r.taken = true;
        }
        r.why = pass (to, capture, f, &r);
        if (r.why != ZMQSAFE_MORE) {
            r.err = errno;
            return r;
        }
        r.messages++;
        r.bytes += f->bytes;
        parts += f->n;
        forget (f);
    }
    return r;
}
