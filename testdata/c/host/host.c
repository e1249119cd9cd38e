/*
 * A C program that sends reports through a library written in Go, and cleans up after its libraries when it exits.
 *
 * It notes which descriptors are open once the library is loaded. A handler of its own, registered with atexit, closes
 * those that came later: what libraries, plugins and scripts left open. C calls such handlers when main returns or anybody
 * calls exit, the newest first. A Go program has no such handlers, so this happens to a Go library only in a host like this.
 *
 * The program is linked with the Go library of directory raw, and then it aborts, or with that of directory guarded, and
 * then it ends with status 0. Its argument is a file that holds the endpoint of a collector, which is down.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "reports.h" /* made by go build -buildmode=c-archive -o reports.a */

#define DESCRIPTORS 1024

static int at_load[DESCRIPTORS];

static void must (int ok, const char *what)
{
    if (!ok) {
        fprintf (stderr, "host: %s failed\n", what);
        _exit (1);
    }
}

/* Go's scheduler sends signals, which end a sleep early. */
static void sleep_ms (int ms)
{
    struct timespec left = {ms / 1000, ms % 1000 * 1000000L};

    while (nanosleep (&left, &left) != 0)
        ;
}

/* Runs last: the handlers that atexit was given first are called last. */
static void rest_of_cleanup (void)
{
    sleep_ms (1000);
}

static void close_descriptors (void)
{
    int fd;

    for (fd = 0; fd < DESCRIPTORS; fd++)
        if (!at_load[fd])
            close (fd);
}

static void note_descriptors (void)
{
    int fd;

    for (fd = 0; fd < DESCRIPTORS; fd++)
        at_load[fd] = fcntl (fd, F_GETFD) >= 0;
}

int main (int argc, char **argv)
{
    must (argc == 2, "the argument, the name of a file,");

    /* Go's own poller opens its descriptors here, with the first file: to close those later may be another crash. */
    must (reports_load (argv[1]) == 0, "reports_load");
    note_descriptors ();
    must (atexit (rest_of_cleanup) == 0, "atexit");
    must (atexit (close_descriptors) == 0, "atexit");

    must (reports_start () == 0, "reports_start");
    must (reports_send ("started") == 0, "reports_send");
    sleep_ms (100); /* the program's work */
    exit (0);       /* it is over, deep in the program: nobody calls reports_stop */
}
