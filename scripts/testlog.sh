# shellcheck shell=bash
# Sourced by the scripts that read what `go test -v`, the demo and the other parts have printed.

# without_noise keeps the closing lines and what failed, and drops the rest: go test only tells of skipped tests with -v.
without_noise() {
	grep --line-buffered -Ev '^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS:)'
}

# count_tests LOG counts tests, and those within tests. What is further in may be what another process printed.
count_tests() {
	awk '
		/^(    )?--- PASS: / { passed++ }
		/^(    )?--- FAIL: / { failed++ }
		/^(    )?--- SKIP: / { skipped++ }
		END {
			printf "%d passed", passed
			if (failed) printf ", %d failed", failed
			if (skipped) printf ", %d skipped", skipped
			print ""
		}
	' "$1"
}

# skipped_in LOG names what did not run, a line each, with the reason that was given.
skipped_in() {
	awk '
		/^=== (RUN|NAME|CONT)/ { test = $3 }
		/^ +[a-z0-9_]+\.go:[0-9]+: / { reason[test] = $0; sub(/^ +/, "", reason[test]) }
		/--- SKIP: / { sub(/.*--- SKIP: /, ""); print $1 ": " reason[$1] }
		/^SKIPPED / { sub(/^SKIPPED /, ""); print }
	' "$1"
}
