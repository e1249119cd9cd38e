#!/bin/bash
# Stops services in containers, raw and guarded, and counts what becomes of them and of their messages. Run it with -h.
set -euo pipefail
export LC_ALL=C # seconds have a point
cd "$(dirname "$0")"

usage() {
	cat <<-'END'
		Usage: docker/stop.sh

		Starts the sender, the broker and the receiver of docker/compose.yaml, and stops them, raw and guarded:

		  sender    docker stop of the sender in full flow
		  cut-off   the receiver loses its network; when nothing moves any more, docker stop of the sender
		  restart   the receiver is killed and started again; in full flow, docker stop of all three
		  broker    docker stop of the broker in full flow

		Guarded it must be: status 0, gone in less than 7 s (cut-off: in the 10 s that Docker gives), and
		each message delivered that was accepted for a live peer: sender, all that the sender had accepted;
		restart, all from the first that the restarted receiver has got; broker, all that the broker had
		taken. Raw is counted as it comes.

		  RUNS=n         run each case n times (1)
		  MODE=guarded   run only the guarded programs, or with raw the others (both)
		  RELEASE=name   the Debian release of the image zmq-exit/services (bookworm)

		Exit status: 0 when guarded was as it must be in every run, 1 when not, 2 for wrong usage, 4 when
		there is no Docker engine or no Compose.
	END
}

main() {
	check_usage "$@"
	find_docker
	declare -gA container=() # by service
	dir=$(mktemp -d) going_on=
	trap clean_up EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	for ((run = 1; run <= RUNS; run++)); do
		for name in sender cut-off restart broker; do
			for mode in $MODE; do
				echo "docker stop: $name $mode, run $run of $RUNS" >&2
				run_case >>"$dir/results"
			done
		done
	done
	print_table
	print_summary
}

check_usage() {
	if [[ $# -eq 1 && $1 =~ ^--?h(elp)?$ ]]; then
		usage
		exit 0
	fi
	RUNS=${RUNS:-1} MODE=${MODE:-raw guarded}
	[[ $# -eq 0 ]] || wrong_usage "no arguments are wanted, not: $*"
	[[ $RUNS =~ ^[1-9][0-9]*$ ]] || wrong_usage "RUNS is $RUNS: want a number from 1 on"
	[[ $MODE =~ ^(raw|guarded|raw guarded)$ ]] || wrong_usage "MODE is $MODE: want raw or guarded, or nothing for both"
}

wrong_usage() {
	printf 'docker/stop.sh: %s\nSee docker/stop.sh -h.\n' "$1" >&2
	exit 2
}

find_docker() {
	docker version >/dev/null 2>&1 || skip "no Docker engine answers"
	if docker compose version >/dev/null 2>&1; then
		composer=(docker compose)
	elif docker-compose version >/dev/null 2>&1; then
		composer=(docker-compose)
	else
		skip "neither docker compose nor docker-compose is installed"
	fi
	export RELEASE=${RELEASE:-bookworm}
	image=zmq-exit/services:$RELEASE
	if ! docker image inspect "$image" >/dev/null 2>&1; then
		echo "docker/stop.sh: there is no image $image: build the target services of docker/Dockerfile" >&2
		exit 1
	fi
	project=zmq-exit-stop-$$-$RANDOM
}

skip() {
	echo "SKIPPED docker stop: $1"
	exit 4
}

# quietly COMMAND... shows what a command prints only if it fails.
quietly() {
	"$@" >"$dir/output" 2>&1 || {
		echo "docker/stop.sh: $* failed:" >&2
		cat "$dir/output" >&2
		return 1
	}
}

compose() {
	MODE=$mode quietly "${composer[@]}" -p "$project" -f compose.yaml "$@"
}

clean_up() {
	local status=$?
	trap '' INT TERM
	if [[ $status -eq 1 && $going_on == yes ]]; then
		report "the case could not go on"
	fi
	mode=guarded compose down -v -t 0 || true
	rm -rf "$dir"
}

# run_case runs the case $name in $mode once, and prints a line for the table: name, mode, statuses, milliseconds, accepted,
# delivered, lost of those for a live peer, whether it was as it must be.
run_case() {
	going_on=yes
	compose up -d
	find_containers
	counts -wait flow >/dev/null
	local found accepted delivered duplicates taken lost lost_live
	"case_$name"
	look_at_stopped
	# shellcheck disable=SC2086 # it is several words, each NAME=VALUE
	local $found
	local verdict=- wrong
	if [[ $mode == guarded ]]; then
		verdict=yes
		wrong=$(judge)
		if [[ -n $wrong ]]; then
			verdict=no
			report "$wrong"
		fi
	fi
	echo "$name" "$mode" "$statuses" "$slowest" "$accepted" "$delivered" "$(lost_of_live)" "$verdict"
	# The next case begins anew, but for the network. Compose would take a second or two longer.
	quietly docker rm -f "${container[@]}"
	quietly docker volume rm "${project}_counts"
	going_on=
}

# Compose 1 and 2 name containers differently.
find_containers() {
	container=()
	local service id
	while read -r service id; do
		container[$service]=$id
	done < <(docker ps -a --filter "label=com.docker.compose.project=$project" \
		--format '{{.Label "com.docker.compose.service"}} {{.Names}}')
}

# counts ARGS... prints a line of NAME=VALUE.
counts() {
	docker exec "${container[receiver]}" /services counts "$@"
}

# counts_of_dead is for when no container runs any more.
counts_of_dead() {
	docker run --rm --network none -v "${project}_counts:/counts" "$image" counts
}

case_sender() {
	stop sender
	found=$(counts -wait still)
}

case_cut-off() {
	quietly docker network disconnect "${project}_private" "${container[receiver]}"
	counts -wait still >/dev/null
	stop sender
	found=$(counts)
}

case_restart() {
	quietly docker kill "${container[receiver]}"
	quietly docker start "${container[receiver]}"
	counts -wait flow >/dev/null
	stop sender broker receiver
	found=$(counts_of_dead)
}

case_broker() {
	stop broker
	found=$(counts -wait still)
}

stop() {
	stopped=()
	local service
	for service; do
		stopped+=("${container[$service]}")
	done
	stop_began=$(date +%s%3N)
	quietly docker stop "${stopped[@]}"
}

# look_at_stopped finds out how the stopped containers have ended, how many milliseconds each took, and the slowest.
look_at_stopped() {
	local one status finished took
	statuses='' times='' slowest=0
	for one in "${stopped[@]}"; do
		read -r status finished < <(docker inspect -f '{{.State.ExitCode}} {{.State.FinishedAt}}' "$one")
		statuses+=${statuses:+/}$status
		took=$(($(date -d "$finished" +%s%3N) - stop_began))
		times+=${times:+/}$took
		((took <= slowest)) || slowest=$took
	done
}

lost_of_live() {
	case $name-$mode in
	sender-*) echo "$lost" ;;
	restart-*) echo "$lost_live" ;;
	broker-guarded) echo $((taken - delivered)) ;;
	*) echo - ;; # nobody was live, or a raw broker hasn't counted
	esac
}

# judge prints what is not as it must be.
judge() {
	local limit=7000 of_live
	[[ $name != cut-off ]] || limit=10000
	[[ $statuses =~ ^0(/0)*$ ]] || echo "exit status $statuses: want 0"
	((slowest < limit)) || echo "gone after $times ms: want less than $limit, from $(date -d "@${stop_began%???}.${stop_began: -3}" +%T.%3N)"
	of_live=$(lost_of_live)
	[[ $of_live == [0-] ]] || echo "$of_live messages for a live peer are lost"
	((duplicates == 0)) || echo "$duplicates messages were delivered twice"
}

report() {
	local service
	printf 'docker stop: %s %s: %s\n' "$name" "$mode" "$1"
	for service in "${!container[@]}"; do
		docker inspect -f "--- log of the $service, {{.State.Status}}, exit status {{.State.ExitCode}}" "${container[$service]}"
		docker logs -t "${container[$service]}" 2>&1 | tail -n 20
	done
} >&2

print_table() {
	awk '
		{ key = $1 " " $2 }
		!(key in runs) { order[++n] = key }
		{ runs[key]++; accepted[key] += $5; delivered[key] += $6; yes[key] += $8 == "yes" }
		{ if ($4 / 1000 > worst[key]) worst[key] = $4 / 1000 }
		{ if ($7 == "-") live[key] = "-"; else live[key] += $7 }
		!((key, $3) in times) { statuses[key] = statuses[key] " " $3 }
		{ times[key, $3]++ }
		END {
			head = "%-8s %-8s %-22s %8s %12s %12s %14s %10s  %s\n"
			row = "%-8s %-8s %-22s %8.2f %12s %12s %14s %10s  %s\n"
			printf head, "case", "program", "exit status", "seconds", "accepted", "delivered", "not delivered", "live peer", "as it must be"
			for (i = 1; i <= n; i++) {
				key = order[i]
				split(key, name, " ")
				list = ""
				count = split(statuses[key], each, " ")
				for (j = 1; j <= count; j++)
					list = list (j > 1 ? ", " : "") each[j] (runs[key] > 1 ? " x" times[key, each[j]] : "")
				printf row, name[1], name[2], list, worst[key], accepted[key], delivered[key], accepted[key] - delivered[key], \
					live[key], name[2] == "raw" ? "-" : yes[key] " of " runs[key]
			}
		}' "$dir/results"
}

print_summary() {
	awk '
		{ runs[$2]++; good[$2] += $8 == "yes"; clean[$2] += $3 ~ /^0(\/0)*$/; lost[$2] += $7 }
		$2 == "guarded" && $4 / 1000 > worst { worst = $4 / 1000 }
		END {
			line = "docker stop:"
			if (runs["guarded"])
				line = line sprintf(" guarded %d of %d as they must be, gone within %.2f s;", good["guarded"], runs["guarded"], worst)
			if (runs["raw"])
				line = line sprintf(" raw status 0 in %d of %d, %d messages for a live peer lost;", clean["raw"], runs["raw"], lost["raw"])
			print substr(line, 1, length(line) - 1)
			exit good["guarded"] < runs["guarded"]
		}' "$dir/results"
}

if [ "$0" = "${BASH_SOURCE[0]}" ]; then main "$@"; fi # scripts/tables.sh wants print_table
