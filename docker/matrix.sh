#!/bin/bash
# Builds the images of docker/Dockerfile for each release of Debian, runs everything in them, and prints a table. Each part has a
# log of its own. A part that fails keeps none of the others from running.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/names.sh
. scripts/testlog.sh

runs=${RUNS:-10}

usage() {
	cat <<-END
		Usage: make docker-test [RUNS=$runs] [RELEASES="$releases"] [GO_VERSION=$go_version]

		For each release of Debian: builds the images, runs the tests with the race detector, with AddressSanitizer and under
		valgrind, the demo's fd-sweep raw and all its hazards guarded, RUNS times each, and the cases of docker/stop.sh.
		Prints a table. The base images are golang:VERSION and debian:RELEASE-slim: pulled, or made by 'make docker-base'.

		Exit status: 0 when all of it was as expected, 1 when not, 2 for wrong usage. Logs stay when something wasn't.
	END
}

say() { printf 'docker-test: %s\n' "$*"; }

# The cells of the table, by release and column. What was skipped, with the reasons.
declare -A cell
skipped=()
failed=0
logs=$(mktemp -d)
container=zmq-exit-test-$$

stop() {
	docker rm -f "$container" >/dev/null 2>&1 || true
	if [ "$failed" -eq 0 ]; then rm -rf "$logs"; else say "the logs are in $logs"; fi
}
trap stop EXIT
trap 'failed=1; exit 130' INT TERM

# part COLUMN COMMAND... runs a part for the release at hand. Its cell is what the function cell_COLUMN finds in the log.
part() {
	local column=$1 log=$logs/$release.$1 start=$SECONDS status=0
	shift
	say "$release: $column"
	"$@" >"$log" 2>&1 || status=$?
	cell[$release,$column]=$("cell_$column" "$log") || cell[$release,$column]=
	if [ "$status" -ne 0 ]; then
		failed=1
		cell[$release,$column]="FAILED ${cell[$release,$column]}"
		tail -n 40 "$log" | sed 's/^/    /'
	fi
	while IFS= read -r line; do skipped+=("$release: $column: $line"); done < <(skipped_in "$log")
	say "$release: $column: ${cell[$release,$column]} ($((SECONDS - start)) s)"
	return "$status"
}

build() {
	local target network=default
	if [ -n "$(made_from "$(debian_image "$release")")" ]; then network=none; fi # it has all that the build needs
	for target in test demo services; do
		docker build --network "$network" -f docker/Dockerfile --target "$target" -t "$(image "$target" "$release")" \
			--build-arg "RELEASE=$release" --build-arg "GO_VERSION=$go_version" .
	done
}

# contained IMAGE ARGUMENT... runs a container without a network. Programs that want namespaces of their own may have them.
contained() {
	docker run --rm --init --name "$container" --network none \
		--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined "$@"
}

# What Go has compiled stays in a volume: most of it is the same for all releases.
in_tests() { contained -v zmq-exit-cache:/root/.cache "$(image test "$release")" "$@"; }
in_demo() { contained "$(image demo "$release")" "$@"; }

# Where there is no Compose, the status is 4, and the log has the reason.
stop_services() {
	local status=0
	RUNS=1 RELEASE=$release docker/stop.sh || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 4 ]
}

cell_build() { docker image inspect -f '{{.Size}}' "$(image demo "$release")" | awk '{ printf "%.1f MB", $1 / 1e6 }'; }
cell_tests() { count_tests "$1"; }
cell_asan() { sed -n 's/^asan: //p' "$1" | tail -n 1; }
cell_valgrind() { sed -n 's/^valgrind: //p' "$1" | tail -n 1; }
cell_raw() { awk -F '   +' '$1 == "fd-sweep" { print $2 "; " $4 }' "$1"; }
cell_guarded() { sed -n 's/.*libzmq \([0-9.]*\), \([0-9]* of [0-9]*\) guarded runs ended cleanly.*/\2 clean/p' "$1"; }
cell_stop() { sed -n 's/^docker stop: \(guarded [0-9]* of [0-9]*\).*/\1/p' "$1"; }

test_release() {
	part build build || return 0
	part tests in_tests make test TESTFLAGS=-v || true
	part asan in_tests make asan || true
	part valgrind in_tests make valgrind || true
	part raw in_demo -hazard fd-sweep -mode raw -runs "$runs" || true
	part guarded in_demo -mode guarded -runs "$runs" || true
	part stop stop_services || true
}

# print_table prints a line for each release, and what was skipped.
print_table() {
	local column line
	{
		printf 'Debian\tlibzmq\tdemo image\ttests, -race\tasan\tvalgrind\traw fd-sweep\tguarded\tdocker stop\n'
		for release in $releases; do
			line=$release$'\t'$(sed -n 's/.*ith libzmq \([0-9.]*\),.*/\1/p' "$logs/$release.guarded" 2>/dev/null || true)
			for column in build tests asan valgrind raw guarded stop; do line+=$'\t'${cell[$release,$column]:--}; done
			printf '%s\n' "$line"
		done
	} | awk -F '\t' '
		{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } }
		END {
			for (row = 1; row <= NR; row++) {
				line = ""
				for (i = 1; i <= NF; i++) line = line sprintf("%-" width[i] "s   ", cell[row, i])
				sub(/ +$/, "", line)
				print line
			}
		}
	'
	for release in $releases; do
		printf '\ndocker stop, %s:\n' "$release"
		sed -n '/^case /,$p' "$logs/$release.stop" 2>/dev/null || true
	done
	echo
	if [ ${#skipped[@]} -gt 0 ]; then printf 'SKIPPED %s\n' "${skipped[@]}"; fi
}

if [ $# -gt 0 ]; then
	usage
	[ "$1" = -h ] || [ "$1" = --help ] || exit 2
	exit 0
fi
docker version >/dev/null 2>&1 || { say "the Docker engine doesn't answer: docker version says why"; exit 1; }
case $runs in '' | 0* | *[!0-9]*) say "RUNS=$runs: want a number, 1 or more"; exit 2 ;; esac
for needed in "$go_image" $(for release in $releases; do debian_image "$release"; done); do
	docker image inspect "$needed" >/dev/null 2>&1 || docker pull "$needed" ||
		{ say "$needed can't be pulled: 'make docker-base' makes it on this machine"; exit 1; }
done
docker/modules.sh
for release in $releases; do test_release; done
echo
print_table
if [ "$failed" -ne 0 ]; then
	say "not all was as expected"
	exit 1
fi
say "all was as expected"
