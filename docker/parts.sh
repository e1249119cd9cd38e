# shellcheck shell=bash disable=SC2154
# Sourced by docker/matrix.sh: the parts that it runs for a release, and the cell of the table that each fills.
. scripts/testlog.sh

# part COLUMN COMMAND... runs a part for the $release at hand. Its cell is what the function cell_COLUMN finds in the log.
part() {
	local column=$1 log=$logs/$release.$1 start=$SECONDS status=0 cell
	shift
	say "$release: $column"
	"$@" >"$log" 2>&1 || status=$?
	cell=$("cell_$column" "$log") || true
	if [ "$status" -ne 0 ]; then
		cell="FAILED${cell:+: $cell}"
		failures_in "$log" | sed "s/^/FAILED $release.$column: /" >>"$logs/failed"
		tail -n 40 "$log" | sed 's/^/    /'
	elif [ -z "$cell" ]; then
		cell=SKIPPED
	fi
	echo "$cell" >"$log.cell"
	say "$release: $column: $cell ($((SECONDS - start)) s)"
	return "$status"
}

# build TARGET builds an image: for demo, that of the services as well, which is made of the same.
build() {
	local target network=default
	if [ -n "$(made_from "$(debian_image "$release")")" ]; then network=none; fi # it has all that the build needs
	for target in ${1/demo/demo services}; do
		docker build --network "$network" --shm-size 1g -f docker/Dockerfile --target "$target" -t "$(image "$target" "$release")" \
			--build-arg "RELEASE=$release" --build-arg "GO_VERSION=$go_version" . || return
	done
}
cell_build-test() { image_size test; }
cell_build-demo() { image_size demo; }
image_size() { docker image inspect -f '{{.Size}}' "$(image "$1" "$release")" | awk '{ printf "%.1f MB", $1 / 1e6 }'; }

# contained IMAGE ARGUMENT... runs a container without a network. Programs that want namespaces of their own may have them.
contained() {
	docker run --rm --init --label "zmq-exit.matrix=$$" --network none \
		--security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined "$@"
}

# What Go has compiled stays in a volume, so that it is quicker the next time. Go itself is in one, too, which the engine fills
# from the image, since some file systems of images are slow with small files.
in_tests() {
	contained -v zmq-exit-cache:/root/.cache -v "zmq-exit-go-$go_version:/usr/local/go" --tmpfs /tmp:exec \
		"$(image test "$release")" "$@"
}
in_demo() { contained "$(image demo "$release")" "$@"; }

# The others are compiled as what some tests build, so the standard library is compiled once. go vet is for lint.
run_tests() {
	if [ "$release" = "$first" ]; then
		in_tests make test TESTFLAGS='-v -vet=off'
	else
		# TestMutants builds pure Go dozens of times, which is the same on every release.
		in_tests go test -v -vet=off -buildmode=pie -shuffle=on -skip '^TestMutants$' ./...
	fi
}
cell_tests() { count_tests "$1"; }

cell_valgrind() { sed -n 's/^valgrind: \([0-9]* programs\)/\1/p' "$1"; }
cell_asan() { sed -n 's/^asan: \([0-9]* programs\)/\1/p' "$1"; }

cell_raw() { awk -F '   +' '$1 == "fd-sweep" { print $2 "; " $4 }' "$1"; }
cell_guarded() { sed -n 's/.*libzmq [0-9.]*, \([0-9]* of [0-9]*\) guarded runs ended cleanly.*/\1 clean/p' "$1"; }

# Where there is no Compose, the status is 4, and the log has the reason.
docker_stop() {
	local status=0
	RUNS=1 RELEASE=$release docker/stop.sh || status=$?
	[ "$status" -eq 0 ] || [ "$status" -eq 4 ]
}
cell_stop() { sed -n 's/^docker stop: \(guarded [0-9]* of [0-9]*\).*/\1/p' "$1"; }

# print_table prints a line for each release, then what docker/stop.sh has printed, and what was skipped.
print_table() {
	local column log
	echo
	{
		printf '%s\t' Debian libzmq 'demo image' tests valgrind asan 'raw fd-sweep' 'demo, guarded' 'docker stop'
		for release in $releases; do
			printf '\n%s\t%s' "$release" "$(sed -n 's/.*ith libzmq \([0-9.]*\),.*/\1/p' "$logs/$release.guarded" 2>/dev/null || true)"
			for column in build-demo tests valgrind asan raw guarded stop; do
				printf '\t%s' "$(cat "$logs/$release.$column.cell" 2>/dev/null || echo -)"
			done
		done
		echo
	} | align
	echo
	sed -n '/^case /,$p' "$logs/$first.stop" 2>/dev/null || true
	echo
	for log in "$logs"/*.*; do
		if [ "${log%.cell}" = "$log" ]; then skipped_in "$log" | sed "s/^/SKIPPED ${log##*/}: /"; fi
	done
}

# align makes columns of what tabs separate.
align() {
	awk -F '\t' '
		{ for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) } }
		END {
			for (row = 1; row <= NR; row++) {
				line = ""
				for (i = 1; (row, i) in cell; i++) line = line sprintf("%-" width[i] "s   ", cell[row, i])
				sub(/ +$/, "", line)
				print line
			}
		}
	'
}
