/* Makes the error of memory that its argument names. Who looks for such errors has to see it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The compiler doesn't know its value, so it doesn't warn, and leaves nothing out. */
static volatile int one = 1;

/* A function of its own, so that no register and no part of the stack still has the pointer. */
static __attribute__ ((noinline)) void leak (void)
{
    char *lost = malloc (1000);
    memset (lost, one, 1000);
}

static void overrun (void)
{
    char *eight = malloc (8);
    memset (eight, 0, 8 + one);
    free (eight);
}

int main (int argc, char **argv)
{
    const char *error = argc == 2 ? argv[1] : "";

    if (strcmp (error, "leak") == 0)
        leak ();
    else if (strcmp (error, "overrun") == 0)
        overrun ();
    else if (strcmp (error, "overflow") == 0)
        printf ("%d\n", INT_MAX + one);
    else
        return 2;
    return 0;
}
