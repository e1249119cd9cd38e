#!/bin/sh
# Tests the debug page in a real browser. If Chromium is missing, it installs it with apt, or prints the command for
# other systems. A skipped test is an error here: it didn't run in a browser.
set -eu
cd "$(dirname "$0")/.."
script=browser
. scripts/apt.sh

# The names that the tests in zmqsafe/debugpage look for.
has_browser() {
	for name in chromium chromium-browser google-chrome; do
		if command -v "$name" >/dev/null; then return 0; fi
	done
	return 1
}

if ! has_browser; then
	command -v apt-get >/dev/null ||
		fail "there is no browser, and no apt-get to install one with; run one of:" \
			"  sudo dnf install chromium    # Fedora; RHEL and its kin with EPEL" \
			"  sudo apk add chromium        # Alpine"
	install_with_apt "there is no browser, and no sudo to install one with" chromium
	has_browser || fail "chromium is installed, but PATH has it under none of the names that the tests look for: chromium, chromium-browser, google-chrome"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
go test -race -count 1 -v -run '^TestBrowser$' ./zmqsafe/debugpage >"$log" 2>&1 || status=$?
cat "$log"
if grep -q -e '--- SKIP' "$log"; then fail "tests were skipped: see above"; fi
exit $status
