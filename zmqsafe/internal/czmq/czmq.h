// What the C code of this package shares.
#ifndef CZMQ_H
#define CZMQ_H

#include <errno.h>
#include <zmq.h>

#if !defined ZMQ_VERSION || ZMQ_VERSION < ZMQ_MAKE_VERSION (4, 2, 0)
#error "zmqsafe needs libzmq 4.2 or later, and the zmq.h found here is older. Install a newer libzmq (Debian: apt-get install libzmq3-dev)."
#endif

// ZMQ_EVENTS works off every command in the socket's mailbox before it
// answers, so after it the next command is certain to signal ZMQ_FD.
static inline int czmq_events (void *s)
{
    int events = 0;
    size_t len = sizeof events;
    int rc;
    do
        rc = zmq_getsockopt (s, ZMQ_EVENTS, &events, &len);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? events : 0;
}

#endif
