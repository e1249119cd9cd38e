#!/bin/sh
# Makes sure that the build has what it needs: Go, a C compiler, pkg-config and libzmq's headers. Installs all but Go with
# apt where it can, and says what to do where it can't. Quick and silent when nothing is missing.
set -eu
cd "$(dirname "$0")/.."
script=deps
. scripts/apt.sh

min_libzmq=4.3
# libc6-dev because nothing is recommended in, ca-certificates because Go downloads modules over https.
apt_packages='libzmq3-dev pkg-config gcc libc6-dev ca-certificates'

# at_least 1.26.8 1.25.0 compares release numbers; what follows the digits, as in 1.27rc1, is ignored.
at_least() {
	awk -v have="$1" -v need="$2" 'BEGIN {
		split(have, h, "."); n = split(need, w, ".")
		for (i = 1; i <= n; i++) if (h[i] + 0 != w[i] + 0) exit !(h[i] + 0 > w[i] + 0)
	}'
}

check_go() {
	need=$(awk '$1 == "go" { print $2 }' go.mod)
	command -v go >/dev/null ||
		fail "Go is missing: install Go $need or newer, see https://go.dev/doc/install"
	have=$(go env GOVERSION | sed 's/.*go\([0-9]\)/\1/')
	at_least "$have" "$need" ||
		fail "Go $have is too old: zmq-exit needs Go $need or newer, see https://go.dev/doc/install"
}

# compiles says whether cgo would find the headers: it asks the compiler and the pkg-config that cgo asks.
compiles() {
	pkg_config=${PKG_CONFIG:-pkg-config}
	command -v "$pkg_config" >/dev/null || return 1
	cflags=$("$pkg_config" --cflags libzmq 2>/dev/null) || return 1
	# The compiler and the flags may each be several words.
	# shellcheck disable=SC2046,SC2086
	echo '#include <zmq.h>' | $(go env CC) $cflags -E - >/dev/null 2>&1
}

print_commands() {
	fail "libzmq's headers, pkg-config or a C compiler is missing, and there is no apt-get to install them with; run one of:" \
		"  sudo dnf install zeromq-devel pkgconf-pkg-config gcc    # Fedora; RHEL and its kin with EPEL" \
		"  sudo apk add zeromq-dev pkgconf gcc musl-dev            # Alpine" \
		"  brew install zeromq pkgconf                             # macOS, with Xcode's command line tools"
}

check_go
if ! compiles; then
	if command -v apt-get >/dev/null; then
		# shellcheck disable=SC2086 # several packages
		install_with_apt "something is missing and there is no sudo to install it with" $apt_packages
	else
		print_commands
	fi
	compiles || fail "the C compiler '$(go env CC)' still can't include <zmq.h>: see what these say:" \
		"  ${PKG_CONFIG:-pkg-config} --cflags --libs libzmq" \
		"  echo '#include <zmq.h>' | $(go env CC) \$(${PKG_CONFIG:-pkg-config} --cflags libzmq) -E -"
fi
version=$("$pkg_config" --modversion libzmq)
at_least "$version" "$min_libzmq" ||
	fail "libzmq $version is too old: zmq-exit needs $min_libzmq or newer; $pkg_config found it in $("$pkg_config" --variable=libdir libzmq)"
[ "$(go env CGO_ENABLED)" = 1 ] ||
	fail "cgo is switched off (CGO_ENABLED=0), and libzmq can't be reached without it: set CGO_ENABLED=1"
