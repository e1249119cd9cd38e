#!/bin/sh
# Runs the programs in C, and tests of zmqsafe that take all its ways through C, under valgrind's memcheck. Installs it with apt
# where it is missing and can be had.
set -eu
cd "$(dirname "$0")/.."
script=valgrind
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
. scripts/apt.sh
. scripts/memory.sh

if ! command -v valgrind >/dev/null; then
	command -v apt-get >/dev/null || skip "there is no valgrind, and no apt-get to install it with"
	# It needs the C library's debug symbols, and nothing recommended is installed.
	(install_with_apt "there is no valgrind, and no sudo to install it with" valgrind libc6-dbg) || skip "it can't be installed, see above"
fi

memcheck=$PWD/scripts/memcheck.sh
export ZMQSAFE_USAGE_EXEC="$memcheck"
export GOFLAGS="${GOFLAGS:-} -tags=valgrind"

"$(go env CC)" -g -o "$dir/errors" scripts/memory_errors.c
must_see overrun 'Invalid write of size' "$memcheck" "$dir/errors"
must_see leak 'definitely lost in' "$memcheck" "$dir/errors"

# All examples and tests of messages, proxies and ends, but for those that count on speed or move very much.
tests -exec "$memcheck" -short \
	-run '^(Example|TestUsage|TestSizes|TestReceivedIsOwned|TestSendMessageParts|TestPartByPart|TestMessages|TestRecvInto|TestProxy|TestProxies|TestPutBack|TestClose(Wakes|FromMany)|TestClosingContext|TestAfterClose|TestMonitor$|TestEvents$)' \
	-skip 'Allocations|IdleCost|ManyParts|StopLosesNothing|PassesWakeUpsOn|ProxyMoves|TearsNothing' ./zmqsafe ./zmqsafe/internal/conformance/usage
tests -exec "$memcheck" -skip TearsNothing ./zmqsafe/internal/libzmq
tests -run '^TestMemcheck$' ./cmd/zmq-exit-demo -memcheck "$memcheck"
end_with_summary '^TestMemcheck/[^/]*$'
