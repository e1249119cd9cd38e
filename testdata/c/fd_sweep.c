/*
 * Closes its descriptors at exit while a ZeroMQ context is still open.
 *
 * The program reports to a collector that is down, so libzmq's I/O thread tries to connect again and again, on a timer.
 * At exit a handler closes all descriptors but the standard ones, and libzmq's are among them. The I/O thread sleeps
 * through that. When the timer is due, it opens a socket for the next try and registers it with an epoll descriptor that
 * isn't open any more: epoll_ctl fails with EBADF, and libzmq aborts the process.
 *
 * fd_sweep_fixed.c is the same program, mended.
 *
 * Verdict: abort, epoll_t::add_fd
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

    return 0;
}
