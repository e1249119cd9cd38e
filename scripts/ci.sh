#!/bin/bash
# Runs the parts one after the other, stops at the first that fails, and ends with a list of what was run and what was not.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
demo_log=$(mktemp)
trap 'rm -f "$log" "$demo_log"' EXIT

part() {
	echo
	echo "==> ci: make $1"
	make --no-print-directory "$@"
}

# go test only tells of skipped tests with -v. This keeps the closing lines and what failed, and drops the rest.
without_noise() {
	grep --line-buffered -Ev '^ *(=== (RUN|PAUSE|CONT|NAME)|--- PASS:)'
}

# A skipped test did not run: name it, with the reason that it logged.
report_skipped() {
	awk '
		/^=== (RUN|NAME|CONT)/ { test = $3 }
		/^ +[a-z0-9_]+\.go:[0-9]+: / { reason[test] = $0; sub(/^ +/, "", reason[test]) }
		/--- SKIP: / { sub(/.*--- SKIP: /, ""); n++; print "    SKIPPED " $1 ": " reason[$1] }
		END { print "    " (n + 0) " tests skipped" }
	' "$log"
}

part lint
part browser | without_noise # first: then the tests find the browser, too
part test TESTFLAGS="-v ${TESTFLAGS:-}" | tee "$log" | without_noise
part demo | tee "$demo_log"

echo
echo "==> ci: passed; what was run:"
echo "    lint"
echo "    browser (the debug page in a real browser, nothing skipped)"
echo "    test (-race -shuffle=on)"
report_skipped
echo "    demo (guarded clean in every run, raw fd-sweep aborted)"
sed -n 's/^SKIPPED /    &/p' "$demo_log"
