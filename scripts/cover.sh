#!/bin/sh
# cover.sh [PROFILE] prints what part of its statements each package's own tests execute, and the lines they don't. Without a
# profile of `go test -coverprofile` it runs the tests. What runs in child processes doesn't count.
set -eu
cd "$(dirname "$0")/.."

if [ $# -eq 0 ]; then
	profile=$(mktemp)
	trap 'rm -f "$profile"' EXIT
	set -- "$profile"
	go test -coverprofile "$profile" ./zmqsafe ./linger ./shutdown >&2
fi

module=$(go list -m)
grep -E "^$module/(zmqsafe|linger|shutdown)/[^/]+:" "$1" | sed "s,^$module/,," | sort -t : -k 1,1 -k 2n | awk -F '[:., ]' '
	# FILE.go:LINE.COLUMN,LINE.COLUMN STATEMENTS COUNT
	function flush() {
		if (from) missed = missed (missed == "" ? "" : ", ") (from == to ? from : from "-" to)
		from = 0
	}
	function end_of_file() {
		flush()
		if (missed != "") list = list sprintf("    %s: %s\n", file, missed)
		missed = ""
	}
	{
		name = $1 "." $2
		if (name != file) { end_of_file(); file = name }
		package = name
		sub("/[^/]*$", "", package)
		all[package] += $7
		if ($8 > 0) { covered[package] += $7; next }
		if (from && $3 <= to + 1) { if ($5 > to) to = $5 } else { flush(); from = $3; to = $5 }
	}
	END {
		end_of_file()
		for (package in all) printf "cover: %s: %.1f %% of %d statements\n", package, 100 * covered[package] / all[package], all[package]
		if (list != "") printf "cover: not executed, by line:\n%s", list
	}
'
