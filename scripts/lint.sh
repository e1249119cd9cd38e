#!/bin/sh
# Runs every check, so one run shows all that is wrong, and names what mends it.
set -eu
cd "$(dirname "$0")/.."
script=lint
. scripts/apt.sh

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

# The warnings are those of #cgo CFLAGS in zmqsafe/internal/libzmq. Only here are they errors: a newer compiler, which may know
# more of them, must not break the build of a program.
# shellcheck disable=SC2046,SC2317
c_warnings() {
	$(go env CC) -fsyntax-only -Werror -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes \
		$(pkg-config --cflags libzmq) zmqsafe/internal/libzmq/*.c testdata/c/*.c
}

# shellcheck disable=SC2317
formatted_c() { git ls-files '*.[ch]' | xargs clang-format --dry-run -Werror; }

# Go leaves directories named testdata out of ./... .
packages='./... ./testdata/c/... ./shutdown/cexit/testdata/library'
# shellcheck disable=SC2086
check 'go vet' 'change the code above' go vet $packages
# shellcheck disable=SC2086
check staticcheck 'change the code above; its -explain CODE says why' go tool -modfile=tools/go.mod staticcheck $packages
check gofumpt 'make fmt' formatted
check 'C warnings' 'change the code above' c_warnings
if ! command -v clang-format >/dev/null && command -v apt-get >/dev/null; then
	(install_with_apt "there is no clang-format, and no sudo to install it with" clang-format) || true
fi
if command -v clang-format >/dev/null; then
	check clang-format 'make fmt' formatted_c
else
	echo "lint: clang-format: SKIPPED, it isn't installed; nobody has checked how the C is formatted"
fi
check 'generated code' 'go generate ./zmqsafe' go test -run '^TestGeneratedIsFresh$' ./zmqsafe/internal/api
check 'go mod tidy' 'go mod tidy' go mod tidy -diff
check 'other processors' 'change the code above' go test -count 1 -run '^TestProcessors$' ./internal/rules \
	-processors amd64,arm64,s390x,riscv64,ppc64le,loong64,mips64,386,arm
check 'the engine without C' 'change the code above' \
	env CGO_ENABLED=0 go test -short ./zmqsafe/internal/guard ./zmqsafe/internal/waker ./zmqsafe/internal/zap
check 'tables of the documentation' 'make tables, with a log of what the command printed' scripts/tables.sh -check
exit $status
