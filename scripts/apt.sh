# shellcheck shell=sh disable=SC2154
# Sourced by the scripts that install what is missing; $script names the one that does.

# fail REASON [COMMAND...] ends the script, with commands on lines of their own, ready to copy.
fail() {
	printf '%s: ' "$script" >&2
	printf '%s\n' "$@" >&2
	exit 1
}

# install_with_apt MISSING PACKAGE... installs the packages; MISSING says what for, where that can't be tried.
install_with_apt() {
	missing=$1
	shift
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			fail "$missing; as root, run:" \
				"  apt-get update && apt-get install --no-install-recommends $*"
		as_root=sudo
	fi
	echo "$script: installing $*" >&2
	# A source that has nothing to do with us may be unreachable: the installation decides.
	$as_root apt-get update -q || echo "$script: apt-get update had errors, going on" >&2
	$as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" ||
		fail "apt-get could not install $*"
}
