#!/bin/sh
# Runs the tests of what has C in it with AddressSanitizer, its leak detection at exit, and UBSan: in the C of this project and
# of pebbe/zmq4, and in the programs in C. What they find ends the process, and so fails its test.
#
# Tests are the short ones, but for the programs in C. These are left out, since they fail for other reasons:
#   TestHotPathAllocations, TestPollAllocations: AddressSanitizer allocates, too
#   TestOtherLibraryIsLoaded: preloads a library, and AddressSanitizer's has to be the first one
#   TestHosts, exit in a child: LeakSanitizer complains when a child made by fork exits and its parent had threads
set -eu
cd "$(dirname "$0")/.."
script=asan
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
. scripts/apt.sh
. scripts/memory.sh

PLAIN_CC=$(go env CC)
CC=$PWD/scripts/sanitized-cc.sh
export PLAIN_CC CC
"$CC" -o "$dir/errors" scripts/memory_errors.c 2>"$dir/why" ||
	skip "$PLAIN_CC can't make programs with -fsanitize=address,undefined: $(tail -n 1 "$dir/why")"
# In the environment, it is for what tests build, too.
export GOFLAGS="${GOFLAGS:-} -asan"
go build runtime/cgo 2>"$dir/why" || skip "go build -asan fails: $(tail -n 1 "$dir/why")"
must_see overrun 'heap-buffer-overflow' "$dir/errors"
must_see leak 'detected memory leaks' "$dir/errors"
must_see overflow 'signed integer overflow' "$dir/errors"

tests -short -skip '^Test(HotPathAllocations|PollAllocations|OtherLibraryIsLoaded)$' ./zmqsafe ./zmqsafe/internal/libzmq ./zmqsafe/internal/conformance/usage ./shutdown/cexit
tests -run '^TestCReproducers$|^Test(Guarded|Raw)$/^c-host-exit$' ./cmd/zmq-exit-demo
tests -run '^TestHosts$' -skip '^TestHosts$/.*/^exit_in_a_child$' ./shutdown/cexit
end_with_summary '^Test(CReproducers|Guarded|Raw|Hosts)/[^/]*$'
