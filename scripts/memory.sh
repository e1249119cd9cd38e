# shellcheck shell=sh
# Sourced by the scripts that look for errors of memory. $script names the one that does, $dir is a directory of its own, and
# what go test -v has printed goes to $dir/log.
: "${script:?}" "${dir:?}"

# skip REASON says that nothing could be run, which isn't a failure, and isn't a run either.
skip() {
	echo "SKIPPED $script: $*"
	exit 0
}

# must_see ERROR TEXT COMMAND... fails unless the command, with ERROR added, fails and says TEXT: who is blind finds nothing.
must_see() {
	error=$1 text=$2
	shift 2
	status=0
	"$@" "$error" >"$dir/seen" 2>&1 || status=$?
	if [ "$status" -eq 0 ] || ! grep -q "$text" "$dir/seen"; then
		cat "$dir/seen" >&2
		fail "the $error in scripts/memory_errors.c isn't seen, so no other would be: status $status, and '$text' isn't in the output above"
	fi
	echo "$script: memory_errors.c, $error: seen, as it has to be"
}

failed=0

# tests ARGUMENT... runs tests; a failure is for end_with_summary to tell. With -o, programs have the symbols that reports need.
tests() {
	mkdir -p "$dir/bin"
	go test -count 1 -v -vet=off -o "$dir/bin/" "$@" >>"$dir/log" 2>&1 || failed=1
}

# end_with_summary PROGRAMS prints what was found: what failed in full, a line for each run of a package's tests, and for each
# test whose name matches PROGRAMS, which is one of a program in C. The count is the last line.
end_with_summary() {
	if [ $failed -ne 0 ]; then grep -Ev '^ *(=== |--- (PASS|SKIP):)' "$dir/log"; fi
	awk -v script="$script" -v programs="$1" -v failed=$failed '
		function line(what, how) { print script ": " what ": " how; n++ }
		/^--- (PASS|FAIL): / { tests++ }
		$1 == "---" && $2 != "SKIP:" && $3 ~ programs { line($3, $2 == "PASS:" ? "ends as it has to" : "FAILED, see above") }
		/^ok / { line("package " $2, tests " tests passed"); tests = 0 }
		/^FAIL[ \t]/ { line("package " $2, "FAILED, see above"); tests = 0; errors++ }
		END { print script ": " n + 0 " programs, " (errors ? errors : failed) " errors" }
	' "$dir/log"
	exit $failed
}
