/*
 * A C program that does what its arguments say, one after the other:
 *
 *   handler:NAME                      register an atexit handler of its own, which prints NAME
 *   handler-exit:N                    register one that calls exit(N)
 *   register:NAME:BEHAVIOUR:MS        have the Go library register something to close
 *   return:N  exit:N  thread-exit:N   ways to end: from main, by main's thread, by another thread,
 *   library-exit:N  locked-exit:N     by the Go library, which may hold a lock,
 *   os-exit:N  panic  _exit:N         and the ways in which no handler runs
 *   quick_exit:N  abort
 *   fork:N                            make a child that calls exit(N), and print how it ended
 *   dlopen:FILE  dlclose              load the library, or one more; unload it
 *
 * With -DLOAD it is for dlopen and dlclose. Else it is linked with the library.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "library.h"

static void must (int ok, const char *what)
{
    if (!ok) {
        printf ("host: %s\n", what);
        _exit (99);
    }
}

#ifdef LOAD
#include <dlfcn.h>
static void *library;
static void *load (const char *name)
{
    void *f = dlsym (library, name);
    must (f != NULL, name);
    return f;
}
#define LIBRARY(f) ((__typeof__ (&f)) load (#f))
#else
#define LIBRARY(f) f
#endif

static char *names[64]; /* of handlers, the newest last */
static int handlers;

static void handler (void)
{
    printf ("%s\n", names[--handlers]);
}

static int status_of_handler;

static void handler_that_exits (void)
{
    exit (status_of_handler);
}

static void *exit_in_thread (void *status)
{
    exit (*(int *) status);
    return NULL;
}

static void in_child (int status)
{
    int wait_status;
    pid_t child = fork ();

    must (child >= 0, "fork");
    if (child == 0)
        exit (status);
    must (waitpid (child, &wait_status, 0) == child, "waitpid");
    printf ("child %d\n", WIFEXITED (wait_status) ? WEXITSTATUS (wait_status) : -1);
}

static int do_what (char *argument)
{
    char *what = strtok (argument, ":"), *name = strtok (NULL, ":");
    int n = name != NULL ? atoi (name) : 0;
    pthread_t thread;

    if (strcmp (what, "handler") == 0) {
        names[handlers++] = name;
        must (atexit (handler) == 0, "atexit");
    } else if (strcmp (what, "handler-exit") == 0) {
        status_of_handler = n;
        must (atexit (handler_that_exits) == 0, "atexit");
    } else if (strcmp (what, "register") == 0) {
        char *behaviour = strtok (NULL, ":");
        LIBRARY (library_register) (name, behaviour, atoi (strtok (NULL, ":")));
    } else if (strcmp (what, "return") == 0)
        return n;
    else if (strcmp (what, "exit") == 0)
        exit (n);
    else if (strcmp (what, "thread-exit") == 0) {
        must (pthread_create (&thread, NULL, exit_in_thread, &n) == 0, "pthread_create");
        pthread_join (thread, NULL);
    } else if (strcmp (what, "library-exit") == 0)
        LIBRARY (library_exit) (n);
    else if (strcmp (what, "locked-exit") == 0)
        LIBRARY (library_exit_locked) (n);
    else if (strcmp (what, "os-exit") == 0)
        LIBRARY (library_os_exit) (n);
    else if (strcmp (what, "panic") == 0)
        LIBRARY (library_panic) ();
    else if (strcmp (what, "_exit") == 0)
        _exit (n);
    else if (strcmp (what, "quick_exit") == 0)
        quick_exit (n);
    else if (strcmp (what, "abort") == 0)
        abort ();
    else if (strcmp (what, "fork") == 0)
        in_child (n);
#ifdef LOAD
    else if (strcmp (what, "dlclose") == 0)
        must (dlclose (library) == 0, "dlclose");
    else if (strcmp (what, "dlopen") == 0)
        must ((library = dlopen (name, RTLD_NOW)) != NULL, "dlopen");
#endif
    else
        must (0, what);
    return -1;
}

int main (int argc, char **argv)
{
    struct rlimit no_core = {0, 0};
    int i, status;

    setrlimit (RLIMIT_CORE, &no_core);
    setvbuf (stdout, NULL, _IONBF, 0); /* Go prints at once, too */
    for (i = 1; i < argc; i++)
        if ((status = do_what (argv[i])) >= 0)
            return status;
    must (0, "the arguments don't end the program");
}
