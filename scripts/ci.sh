#!/bin/bash
# Runs the parts one after the other, stops at the first that fails, and ends with a list of what was run and what was not.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/testlog.sh

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

part() {
	echo
	echo "==> ci: make $1"
	make --no-print-directory "$@"
}

# Where no image can be pulled, the base images are made here.
docker_test() {
	docker pull -q golang:1.26 >/dev/null 2>&1 || part docker-base
	part docker-test
}

part lint
part browser | without_noise # first: then the tests find the browser, too
part test TESTFLAGS="-v -coverprofile=$logs/cover ${TESTFLAGS:-}" | tee "$logs/test" | without_noise
part lockorder
part demo | tee "$logs/demo"
# What has C or system calls in it, but for what takes long under qemu: make cross runs all, for more processors.
part cross ARCH=arm64 TESTFLAGS='-skip ManyParts|LeaksNoMemory' \
	PACKAGES='./linger ./shutdown/... ./zmqsafe ./zmqsafe/internal/conns ./zmqsafe/internal/libzmq ./zmqsafe/internal/waker' | tee "$logs/cross"
if docker version >/dev/null 2>&1; then
	docker_test | tee "$logs/docker"
else
	part asan | tee "$logs/asan"
	part valgrind | tee "$logs/valgrind"
	echo "SKIPPED docker-test, the proof on three releases of Debian: no Docker engine answers" | tee "$logs/docker"
fi

echo
echo "==> ci: passed; what was run:"
echo "    lint, and the generated code is fresh"
echo "    browser (the debug page in a real browser, nothing skipped)"
echo "    test (-race -shuffle=on): $(count_tests "$logs/test")"
echo "    pebbe/zmq4's own tests on zmqsafe, among these"
echo "    lockorder (no lock of zmqsafe is taken out of order)"
echo "    demo (guarded clean in every run, raw fd-sweep aborted)"
sed -n 's/^cross: /    cross (some packages): /p' "$logs/cross"
if [ -e "$logs/asan" ]; then
	echo "    asan ($(sed -n 's/^asan: //p' "$logs/asan" | tail -n 1)), valgrind ($(sed -n 's/^valgrind: //p' "$logs/valgrind" | tail -n 1))"
else
	echo "    docker-test, with asan and valgrind:"
	sed -n '/^Debian /,/^$/s/^/        /p' "$logs/docker"
fi
scripts/cover.sh "$logs/cover" | sed 's/^/    /'
for log in test demo cross asan valgrind docker; do
	if [ -e "$logs/$log" ]; then skipped_in "$logs/$log"; fi
done | awk '{ print "    SKIPPED " $0 } END { print "    " NR " skipped" }'
