#include <stdlib.h>
#include <unistd.h>
#include "_cgo_export.h"

/* The process that Go runs in. */
static pid_t owner;

/* A child made by fork has this handler, too, but only one of Go's threads, so a
   call of Go would never return. */
static void handler (void)
{
    if (getpid () == owner)
        zmqexit_cexit_run ();
}

/* The caller holds cexit.mu. */
int zmqexit_cexit_register (void)
{
    owner = getpid ();
    return atexit (handler);
}
