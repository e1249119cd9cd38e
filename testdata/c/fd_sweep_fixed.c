/*
 * fd_sweep.c, mended: the socket is closed and the context terminated before the descriptors are closed. LINGER bounds the
 * wait for the collector that is down: without it zmq_ctx_term would wait forever.
 *
 * Verdict: clean
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

static void must (int ok, const char *what)
{
    if (!ok) {
        perror (what);
        _exit (3);
    }
}

/* Makes the endpoint of a collector that is down: the port is taken, so nobody else listens there, and refuses connections. */
static void collector_endpoint (char *endpoint, size_t size)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int fd = socket (AF_INET, SOCK_STREAM, 0);

    must (fd >= 0, "socket");
    memset (&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    must (bind (fd, (struct sockaddr *) &address, length) == 0, "bind");
    must (getsockname (fd, (struct sockaddr *) &address, &length) == 0, "getsockname");
    snprintf (endpoint, size, "tcp://127.0.0.1:%d", ntohs (address.sin_port));
}

/* Runs last: the handlers that atexit was given first are called last. */
static void rest_of_cleanup (void)
{
    usleep (500 * 1000);
}

static void close_descriptors (void)
{
    int fd;

    for (fd = STDERR_FILENO + 1; fd < 1024; fd++)
        close (fd);
}

int main (void)
{
    char endpoint[64];
    int reconnect_ms = 50;
    int linger_ms = 100;
    void *context, *reports;

    atexit (rest_of_cleanup);
    atexit (close_descriptors);
    collector_endpoint (endpoint, sizeof endpoint);

    context = zmq_ctx_new ();
    must (context != NULL, "zmq_ctx_new");
    reports = zmq_socket (context, ZMQ_PUSH);
    must (reports != NULL, "zmq_socket");
    must (zmq_setsockopt (reports, ZMQ_RECONNECT_IVL, &reconnect_ms, sizeof reconnect_ms) == 0,
          "ZMQ_RECONNECT_IVL");
    must (zmq_connect (reports, endpoint) == 0, "zmq_connect");

    must (zmq_send (reports, "started", 7, 0) == 7, "zmq_send");
    usleep (200 * 1000); /* the program's work */

    /* Closing only hands the socket to libzmq's threads; when zmq_ctx_term has returned, they are gone. */
    must (zmq_setsockopt (reports, ZMQ_LINGER, &linger_ms, sizeof linger_ms) == 0, "ZMQ_LINGER");
    must (zmq_close (reports) == 0, "zmq_close");
    must (zmq_ctx_term (context) == 0, "zmq_ctx_term");
    return 0;
}
