#!/bin/bash
# Makes the tables of the documentation from what commands print, or checks them. Run it with -h.
set -euo pipefail
cd "$(dirname "$0")/.."
. docker/parts.sh # print_table

usage() {
	cat <<-'END'
		Usage: make tables [DEMO_LOG=file] [DOCKER_LOG=file] [BENCH_LOG=file]
		       scripts/tables.sh -check

		In README.md and docs, a block below a line

		  <!-- printed by: make demo ARGS='-runs 20' -->

		is what that command printed. This runs the commands and rewrites the blocks. With a log of what make demo,
		make docker-test or make bench has printed, it runs nothing and rewrites what is in the log; what make ci
		printed will do for the first two, if it ran each hazard as often as the block says.

		-check says which blocks are not what their command prints today: its heading, the hazards, the number of runs.
	END
}

main() {
	dir=$(mktemp -d) status=0
	trap 'rm -rf "$dir"' EXIT
	case ${1:-} in
	'') each_block rewrite ;;
	-check) each_block check ;;
	-h | --help) usage ;;
	*) usage >&2 && status=2 ;;
	esac
	exit $status
}

# each_block FUNCTION calls it with $page, $line and $command set, and the block in $dir/block. The last block of a page comes
# first, so that lines stay where they are.
each_block() {
	go run ./cmd/zmq-exit-demo list | awk '{ print $1 }' >"$dir/hazards"
	while IFS=: read -r page line command; do
		command=${command#<!-- printed by: } command=${command% -->}
		awk -v line="$line" '
			NR <= line { next }
			NR == line + 1 && /^```/ { fenced = 1; next }
			fenced ? /^```/ : /^$/ { exit }
			1
		' "$page" >"$dir/block"
		"$1" || status=1
	done < <(grep -Hn '^<!-- printed by: ' README.md docs/*.md | tac)
}

complain() { echo "tables: $page:$line: $*" >&2; return 1; }

# kind tells blocks of one command apart.
kind() {
	kind=$(sed -n '1s/^[| ]*\([a-zA-Z]*\).*/\1/p' "$dir/block")
	case "$kind $command" in
	'hazard make demo'*) log=${DEMO_LOG:-} ;;
	'Debian make docker-test'* | 'case make docker-test'*) log=${DOCKER_LOG:-} ;;
	'workload make bench'*) log=${BENCH_LOG:-} ;;
	*) complain "'$command' doesn't print a table that begins with '$kind'" ;;
	esac
}

check() { kind && heading && counts; }

rewrite() {
	kind || return
	if [ -z "${DEMO_LOG:-}${DOCKER_LOG:-}${BENCH_LOG:-}" ]; then
		log=$dir/$(cksum <<<"$command")
		[ -e "$log" ] || eval "$command" | tee "$log" || return
	elif [ -z "$log" ]; then
		return
	fi
	"table_$kind" <"$log" | sed "s/ *\$//" >"$dir/block"
	[ -s "$dir/block" ] || complain "$log has nothing that '$command' prints" || return
	check || return
	awk -v line="$line" -v block="$dir/block" '
		NR <= line { print; next }
		NR == line + 1 {
			fenced = /^```/
			if (fenced) print
			while ((getline text <block) > 0) print text
			if (fenced) next
		}
		after || (fenced ? /^```/ : /^$/) { after = 1; print }
	' "$page" >"$dir/page"
	cat "$dir/page" >"$page"
	echo "tables: $page:$line: what '$command' printed"
}

# last FIRST END prints the last part of a log that begins with a line like FIRST, until one like END.
last() {
	awk -v first="$1" -v end="$2" '$0 ~ first { on = 1; text = "" } on { text = text $0 "\n" } $0 ~ end { on = 0 } END { printf "%s", text }'
}
table_hazard() { last '^hazard  ' ' libzmq [0-9.]+, '; }
table_Debian() { last '^Debian  ' '^$' | sed '/^$/d'; }
table_case() { last '^case  ' '^docker stop: '; }

# The median of each workload, raw and guarded.
table_workload() {
	sed -n 's,^Benchmark\(.*\)/\(raw\|guarded\)\(-[0-9]*\)\?[[:space:]].*[[:space:]]\([0-9.]*\) ns/op.*,\1 \2 \4,p' |
		sort -k 1,1V -k 2,2r -k 3n | awk '
		function median(key) { return (of[key, int((n[key] + 1) / 2)] + of[key, int((n[key] + 2) / 2)]) / 2 }
		function text(ns) { return ns < 1e3 ? sprintf("%.3g ns", ns) : ns < 1e6 ? sprintf("%.3g µs", ns / 1e3) : sprintf("%.3g ms", ns / 1e6) }
		{ key = $1 " " $2; of[key, ++n[key]] = $3 }
		$2 == "raw" && n[key] == 1 { order[++rows] = $1 }
		END {
			print "| workload | raw | guarded | raw / guarded |\n|---|---|---|---|"
			for (i = 1; i <= rows; i++) {
				raw = median(order[i] " raw"); guarded = median(order[i] " guarded")
				if (guarded) printf "| %s | %s | %s | %.2g |\n", order[i], text(raw), text(guarded), raw / guarded
			}
		}'
}

# heading compares the first line with what is printed today.
heading() {
	mkdir -p "$dir/none"
	case $kind in
	hazard) go run ./cmd/zmq-exit-demo -hazard fd-sweep -mode guarded -runs 1 2>/dev/null ;;
	Debian) releases='' first='' logs=$dir/none print_table 2>/dev/null | sed 1d ;;
	case) (. docker/stop.sh && dir=$dir/none && : >"$dir/results" && print_table) ;;
	workload) echo 'BenchmarkX/raw 1 1 ns/op' | table_workload ;;
	esac >"$dir/today" || true
	[ "$(words "$dir/block")" = "$(words "$dir/today")" ] || complain "the heading is '$(words "$dir/block")', and today's is '$(words "$dir/today")'"
}
words() { head -n 1 "$1" | tr -s ' '; }

# counts looks for all hazards, each run as often as the command says.
counts() {
	local runs
	case $kind in
	hazard)
		runs=$(sed -n 's/.*-runs \([0-9]*\).*/\1/p' <<<"$command")
		awk -F '   +' -v runs="${runs:-5}" '
			function count(cell) {
				gsub(/\([^)]*\)|[a-z]/, "", cell)
				n = split(cell, each, ",")
				for (sum = 0; n > 0; n--) sum += each[n]
				return sum
			}
			FNR == NR { want = want " " $1; next }
			/^$/ { exit }
			FNR > 1 { got = got " " $1 }
			FNR > 1 && (count($2) != runs || count($3) != runs) { print $1 " did not run " runs " times"; exit }
			END { if (got != want) print "the hazards are" want ", not" got }
		' "$dir/hazards" "$dir/block"
		;;
	Debian)
		runs=$(sed -n 's/.*RUNS=\([0-9]*\).*/\1/p' <<<"$command")
		want="$((${runs:-10} * $(wc -l <"$dir/hazards"))) "
		awk -F '   +' -v want="$want" 'NR > 1 && index($8, want) != 1 { print $1 ": " want "guarded runs are wanted, not " $8; exit }' "$dir/block"
		;;
	esac >"$dir/wrong"
	[ ! -s "$dir/wrong" ] || complain "$(head -n 1 "$dir/wrong")"
}

main "$@"
