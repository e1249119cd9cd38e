#!/bin/bash
# Runs tests as they are on other processors: compiled with Debian's cross compilers, under qemu. What only has to compile is checked
# with go vet, which reads the C, too. ARCH says for which processors, PACKAGES and TESTFLAGS what is tested.
#
# libzmq and all that it needs is unpacked into a directory. Installed beside what the machine has, it would add an architecture
# to apt, which some of the machine's sources may not have, and would upgrade the C library. So apt has its state in a
# directory, too, and needs no root.
#
# Tests start their own program again, and programs that they have built, so it is the kernel that has to know of qemu: by
# binfmt_misc, mounted in a user namespace (since Linux 6.7), so that nothing changes outside of it.
set -euo pipefail
cd "$(dirname "$0")/.."
script=cross
. scripts/apt.sh
. scripts/testlog.sh

# GOARCH, Debian's name, the prefix of its compiler, and qemu's name if tests run.
processors='
arm64   arm64   aarch64-linux-gnu     aarch64
arm     armhf   arm-linux-gnueabihf   arm
s390x   s390x   s390x-linux-gnu       s390x
386     i386    i686-linux-gnu
ppc64le ppc64el powerpc64le-linux-gnu
riscv64 riscv64 riscv64-linux-gnu
'

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
release=$(. /etc/os-release && echo "$ID-${VERSION_ID:-}")

# install_compiler installs the cross compiler, and qemu if tests run.
install_compiler() {
	local missing=()
	command -v "$compiler-gcc" >/dev/null || missing+=("gcc-${compiler//_/-}")
	if [ "$qemu" ] && ! command -v "qemu-$qemu" >/dev/null; then missing+=(qemu-user); fi
	[ ${#missing[@]} -eq 0 ] ||
		(install_with_apt "what $arch needs is missing, and no sudo to install it with" "${missing[@]}")
}

# unpack_libraries makes $root if it isn't there yet.
unpack_libraries() {
	local new=$root.new deb
	[ ! -e "$root" ] || return 0
	rm -rf "$new"
	mkdir -p "$new"/apt/{lists,archives}/partial "$new"/root/usr/lib{,64}
	ln -s usr/lib usr/lib64 "$new/root"
	touch "$new/apt/status"
	cat >"$new/apt/conf" <<-END
		#clear APT::Architectures;
		APT::Architecture "$debian";
		APT::Architectures { "$debian"; };
		APT::Sandbox::User "root";
		Dir::State "$new/apt";
		Dir::State::status "$new/apt/status";
		Dir::Cache "$new/apt";
	END
	export APT_CONFIG=$new/apt/conf
	apt-get update -q || echo "$script: apt-get update had errors, going on" >&2
	apt-get install -q -y --download-only --no-install-recommends libzmq3-dev libc6-dev || return
	for deb in "$new"/apt/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$new/root" || return
	done
	mv "$new/root" "$root"
	rm -rf "$new"
}

# emulate COMMAND... runs it where programs of $arch run under qemu. The ELF header of $dir/answer tells which these are, without
# its bytes for the ABI and for the type: a program, or one that is PIE.
emulate() {
	local magic mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\xff\xff'
	magic=$(od -An -v -tx1 -N 20 "$dir/answer" | tr -d '\n' | sed 's/ /\\x/g')
	# shellcheck disable=SC2016 # for the inner shell
	unshare --map-root-user --mount sh -c '
		mount -t binfmt_misc binfmt_misc "$1" && printf %s "$2" >"$1/register" && shift 2 && exec "$@"
	' sh "$dir/binfmt" ":zmq-exit:M::$magic:$mask:$dir/qemu:P" "$@"
}

# prepare_emulator fails unless a program of $arch runs.
prepare_emulator() {
	local status=0
	mkdir -p "$dir/binfmt"
	# By P, the path of the program comes before its arguments. Children may have no environment to tell where libraries are.
	cat >"$dir/qemu" <<-END
		#!/bin/sh
		program=\$1 name=\$2
		shift 2
		exec "$(command -v "qemu-$qemu")" -L "$root" -0 "\$name" "\$program" "\$@"
	END
	chmod +x "$dir/qemu"
	echo 'int main(void) { return 42; }' | $CC -x c -o "$dir/answer" - || return
	emulate "$dir/answer" || status=$?
	[ $status -eq 42 ]
}

# test_under_qemu prints what failed and what was skipped, and the count. All hold under qemu, but for TestMainAsProcess1 and
# TestWait of tcplinger: they start a process in namespaces of its own, which qemu doesn't know, and skip themselves.
test_under_qemu() {
	local log=$dir/$arch.tests status=0
	# shellcheck disable=SC2086 # several flags and packages
	emulate go test -vet=off -short -v -count 1 -timeout 30m ${TESTFLAGS:-} \
		${PACKAGES:-./linger ./shutdown/... ./zmqsafe/...} >"$log" 2>&1 || status=1
	if [ $status -ne 0 ]; then failures_in "$log"; fi
	skipped_in "$log" | sed "s/^/SKIPPED $arch: /"
	said="$(count_tests "$log") under qemu"
	return $status
}

# check_processor does what there is to do for a line of $processors.
check_processor() {
	local arch=$1 debian=$2 compiler=$3 qemu=${4:-} root log=$dir/$1.log start=$SECONDS status=0 said='go vet: compiles'
	root=${XDG_CACHE_HOME:-$HOME/.cache}/zmq-exit/cross/$release-$debian
	if [ "$arch" = "$(go env GOHOSTARCH)" ]; then
		echo "SKIPPED $arch: this machine has that processor: make test"
		return
	fi
	(install_compiler && unpack_libraries) >"$log" 2>&1 || {
		tail -n 5 "$log"
		echo "SKIPPED $arch: its compiler or libraries can't be had, see above; make lint type-checks for it"
		return
	}
	export GOARCH=$arch CGO_ENABLED=1 CC="$compiler-gcc --sysroot=$root" PKG_CONFIG_SYSROOT_DIR=$root
	PKG_CONFIG_LIBDIR=$root/usr/lib/$($CC -print-multiarch)/pkgconfig
	export PKG_CONFIG_LIBDIR
	if [ ! "$qemu" ]; then
		go vet ./... || status=1
	elif prepare_emulator; then
		test_under_qemu || status=1
	else
		echo "SKIPPED $arch: no user namespace with binfmt_misc, which takes Linux 6.7, or no qemu that runs a program in it"
		return
	fi
	if [ $status -ne 0 ]; then said="FAILED, see above"; fi
	echo "$script: $arch: $said ($((SECONDS - start)) s)"
	return $status
}

failed=0
for arch in ${ARCH:-$(awk '{ print $1 }' <<<"$processors")}; do
	line=$(awk -v arch="$arch" '$1 == arch' <<<"$processors")
	[ "$line" ] || fail "$arch is none of" "$processors"
	# shellcheck disable=SC2086 # its columns
	(check_processor $line) || failed=1
done
exit $failed
