#!/bin/bash
# Builds the images of docker/Dockerfile for each release of Debian, runs everything in them, and prints a table. Each part has a
# log of its own. A part that fails keeps none of the others from running.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/names.sh
. docker/parts.sh

runs=${RUNS:-10}

usage() {
	cat <<-END
		Usage: make docker-test [RUNS=$runs] [RELEASES="$releases"] [GO_VERSION=$go_version]

		For each release of Debian: builds the images, runs the tests, the demo's fd-sweep raw, and all of its hazards
		guarded, RUNS times each. For the first release also: the tests with the race detector, with AddressSanitizer and
		under valgrind, and docker/stop.sh. Then prints a table. The base images are golang:VERSION and
		debian:RELEASE-slim: pulled, or made by 'make docker-base'.

		Exit status: 0 when all of it was as expected, 1 when not, 2 for wrong usage. Logs stay when something wasn't.
	END
}

check_usage() {
	if [ $# -gt 0 ]; then
		usage
		[ "$1" = -h ] || [ "$1" = --help ] || exit 2
		exit 0
	fi
	case $runs in '' | 0* | *[!0-9]*)
		say "RUNS is $runs: want a number from 1 on"
		exit 2
		;;
	esac
}

check_docker() {
	docker version >/dev/null 2>&1 || fail "the Docker engine doesn't answer: docker version says why"
	for needed in "$go_image" $(for release in $releases; do debian_image "$release"; done); do
		docker image inspect "$needed" >/dev/null 2>&1 || docker pull "$needed" ||
			fail "$needed can't be pulled: 'make docker-base' makes it on this machine"
	done
}

say() { printf 'docker-test: %s\n' "$*"; }

fail() {
	say "$*" >&2
	exit 1
}

clean_up() {
	trap '' INT TERM
	jobs -p | xargs -r kill 2>/dev/null || true
	docker ps -aq --filter "label=zmq-exit.matrix=$$" | xargs -r docker rm -f >/dev/null 2>&1 || true
	if [ -e "$logs/passed" ]; then rm -rf "$logs"; else say "the logs are in $logs"; fi
}

# One after the other: a test that shares its cores with a build or with valgrind tells more of the machine than of the code.
run_parts() {
	for release in $releases; do
		if part build-test build test; then part tests run_tests || true; fi
		part build-demo build demo || continue
		part raw in_demo -hazard fd-sweep -mode raw -runs "$runs" || true
		part guarded in_demo -mode guarded -runs "$runs" || true
	done
	release=$first
	part valgrind in_tests make valgrind || true
	part asan in_tests make asan || true
	part stop docker_stop || true
}

check_usage "$@"
first=${releases%% *}
logs=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
check_docker
docker/modules.sh
# In the background, since a shell that waits for a command in the foreground doesn't take signals.
run_parts &
wait
print_table
if [ -e "$logs/failed" ]; then
	cat "$logs/failed" >&2 # last, since some keep only the end of what is printed
	fail "not all was as expected"
fi
touch "$logs/passed"
say "all was as expected"
