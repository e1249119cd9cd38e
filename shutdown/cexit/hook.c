#include <stdlib.h>
#include <unistd.h>
#include "_cgo_export.h"

/* The process that Go runs in. */
static pid_t owner;

/* A child made by fork has this handler, too, but only one of Go's threads: a call of Go would never return. */
static void handler (void)
{
    if (getpid () == owner)
        zmqexit_cexit_run ();
}

/* Called under a lock of Go's. */
int zmqexit_cexit_register (void)
{
    owner = getpid ();
    return atexit (handler);
}
