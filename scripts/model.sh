#!/bin/bash
# model.sh [short|full] has spin check the model of the wait, and replay on it what the guard does. Installs spin with apt where it is
# missing. The full form takes minutes; the short one is for CI.
set -euo pipefail
cd "$(dirname "$0")/.."
script=model
. scripts/apt.sh
. scripts/testlog.sh

form=${1:-full}
case $form in
short | full) ;;
*) fail "there is no form '$form': want short or full" ;;
esac
if ! command -v spin >/dev/null || ! command -v cc >/dev/null; then
	command -v apt-get >/dev/null ||
		fail "spin or a C compiler is missing, and there is no apt-get to install it with; see https://spinroot.com"
	install_with_apt "spin or a C compiler is missing, and there is no sudo to install it with" spin gcc libc6-dev
fi
CGO_ENABLED=0 go test -count 1 -timeout 0 -v -run '^Test(Model|Traces)' ./zmqsafe/internal/guard -model "$form" | without_noise
