#include "libzmq.h"

#include <errno.h>
#include <time.h>

static int64_t now (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

// Half of the socket's receive queue. Reading makes room for what peers still
// have: so much of it at most is lost, too, for each peer.
static uint64_t half_of_queue (void *s)
{
    int hwm = 0;
    size_t len = sizeof hwm;
    if (zmq_getsockopt (s, ZMQ_RCVHWM, &hwm, &len) != 0 || hwm <= 0)
        return 1000;
    return hwm > 1 ? (uint64_t) hwm / 2 : 1;
}

// The clock is read for each message, and now and then within one of many parts.
enum { PARTS_WITHOUT_A_LOOK = 64 };

zmqsafe_discarded zmqsafe_discard (void *s, int64_t nanoseconds)
{
    zmqsafe_discarded r = {0};
    zmq_msg_t part;
    zmq_msg_init (&part);
    uint64_t most = 0;
    int64_t end = 0;
    for (unsigned parts = 1;; parts++) {
        int rc;
        do
            rc = zmq_msg_recv (&part, s, ZMQ_DONTWAIT); // which frees the part before
        while (rc < 0 && errno == EINTR);
        if (rc < 0)
            break;
        if (most == 0) { // only now: most sockets have nothing
            most = half_of_queue (s);
            end = now () + nanoseconds;
        }
        bool more = zmq_msg_more (&part);
        if (!more)
            r.messages++;
        bool look = !more || parts % PARTS_WITHOUT_A_LOOK == 0;
        if (look && (r.messages == most || now () >= end)) {
            r.at_least = more || (zmqsafe_events (s) & ZMQ_POLLIN);
            break;
        }
    }
    zmq_msg_close (&part);
    return r;
}
