#!/bin/sh
# Runs a program under valgrind's memcheck, which makes the status 99 if there is an error: an invalid access, the use of what
# was never written, or a definite leak.
#
# With its build tag valgrind, Go's runtime tells memcheck of stacks and of the blocks that it allocates, but not of those that it
# frees and uses again, nor of the words that it saves where a signal preempts a goroutine: so there is no garbage collection, and
# no such preemption. memcheck runs one thread at a time; without --fair-sched some wait for seconds. It would give up
# after a thousand errors.
export GOGC=off GODEBUG=asyncpreemptoff=1
exec valgrind --fair-sched=yes --error-limit=no --error-exitcode=99 --child-silent-after-fork=yes \
	--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
	--suppressions="$(dirname "$0")/memcheck.supp" "$@"
