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

# failures_in LOG is what failed, 20 lines at most: the tests with what they said, or else the end of the log.
failures_in() {
	local failures
	failures=$(awk '
		/^ *(===|---) / { within = 0 }
		/^=== (RUN|NAME|CONT)/ { test = $3 }
		/^ +[a-z0-9_]+\.go:[0-9]+: / { within = 1 }
		within { said[test] = said[test] "\n" $0 }
		/^panic: |DATA RACE|ERROR: AddressSanitizer/ { print }
		/--- FAIL: / { print $0 said[$3] }
	' "$1" | head -n 20)
	printf '%s\n' "${failures:-$(tail -n 5 "$1")}"
}
