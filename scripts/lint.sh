#!/bin/sh
# Runs every check, so one run shows all that is wrong, and names what mends it.
set -eu
cd "$(dirname "$0")/.."

status=0

# check NAME MEND COMMAND...
check() {
	name=$1 mend=$2
	shift 2
	if output=$("$@" 2>&1); then
		echo "lint: $name: ok"
	else
		printf '%s\nlint: %s: FAILED; to mend it: %s\n' "$output" "$name" "$mend"
		status=1
	fi
}

# gofumpt -l prints what isn't formatted, and succeeds.
# shellcheck disable=SC2317 # it is called, by check
formatted() {
	files=$(go tool -modfile=tools/go.mod gofumpt -l .)
	echo "$files"
	[ -z "$files" ]
}

# Go leaves directories named testdata out of ./... .
packages='./... ./testdata/c/... ./shutdown/cexit/testdata/library'
# shellcheck disable=SC2086
check 'go vet' 'change the code above' go vet $packages
# shellcheck disable=SC2086
check staticcheck 'change the code above; its -explain CODE says why' go tool -modfile=tools/go.mod staticcheck $packages
check gofumpt 'make fmt' formatted
check 'generated code' 'go generate ./zmqsafe' go test -run '^TestGeneratedIsFresh$' ./zmqsafe
check 'go mod tidy' 'go mod tidy' go mod tidy -diff
exit $status
