#!/bin/bash
# Makes the base images of docker/Dockerfile on a machine that can't pull them, under their public names: debian:RELEASE-slim
# with debootstrap, and golang:VERSION with the Go toolchain of this machine. They have all that the build needs, so that it
# needs no network. An image that is there already is kept, unless it was made here from something else.
set -euo pipefail
cd "$(dirname "$0")/.."
script=docker-base
. scripts/apt.sh
. docker/names.sh

usage() {
	cat <<-END
		Usage: make docker-base [RELEASES="$releases"] [GO_VERSION=$go_version]

		Makes the images debian:RELEASE-slim and golang:VERSION, which docker/Dockerfile builds on, with debootstrap and
		the Go toolchain of this machine. Needs the Docker engine, root or sudo, and Debian's packages; a few minutes.
		What is there is kept. 'docker rmi debian:RELEASE-slim golang:VERSION' removes them, so that the public ones are
		pulled again.
	END
}

# have IMAGE WANT says whether the image need not be made: it was pulled, or it was made here from WANT.
have() {
	made_from=$(made_from "$1") || return 1
	case $made_from in
	"$2") echo "docker-base: $1 is there" ;;
	'') echo "docker-base: $1 is there, and was not made here: kept" ;;
	*) return 1 ;;
	esac
}

# make_image IMAGE WANT imports a tar file from standard input.
make_image() {
	docker import -c "LABEL $base_label=\"$2\"" -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$1" >/dev/null
	docker image inspect -f "docker-base: made $1, {{.Size}} bytes" "$1"
}

make_go() {
	[ "$(go env GOVERSION)" = "go$go_version" ] ||
		fail "the Go toolchain of this machine is $(go env GOVERSION): it can't make golang:$go_version"
	# What only tests Go itself is half of the files.
	have "$go_image" "$go_version" ||
		tar -C "$(go env GOROOT)" --transform 's,^\.,usr/local/go,' --exclude=./test --exclude=testdata -hc . | make_image "$go_image" "$go_version"
}

make_debian() {
	image=$(debian_image "$1")
	packages=$(paste -sd, docker/packages)
	if have "$image" "$packages"; then return; fi
	echo "docker-base: $image: debootstrap is at work, for about a minute"
	$as_root debootstrap --variant=minbase --include="$packages" "$1" "$work/$1" >"$work/log" 2>&1 ||
		fail "debootstrap could not make $1; the end of what it said:" "$(tail -n 20 "$work/log")"
	# Without what the public image lacks, too: documentation, and what apt has downloaded. The engine mounts a /dev of its own.
	$as_root tar -C "$work/$1" --exclude='./dev/*' --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
		--exclude='./usr/share/info/*' --exclude='./usr/share/locale/*' --exclude='./var/cache/apt/*.bin' \
		--exclude='./var/cache/apt/archives/*.deb' --exclude='./var/lib/apt/lists/*' -c . | make_image "$image" "$packages"
	$as_root rm -rf "${work:?}/$1"
}

if [ $# -gt 0 ]; then
	usage
	[ "$1" = -h ] || [ "$1" = --help ] || exit 2
	exit 0
fi
docker version >/dev/null 2>&1 || fail "the Docker engine doesn't answer: docker version says why"
as_root=
[ "$(id -u)" -eq 0 ] || as_root=sudo
command -v debootstrap >/dev/null ||
	install_with_apt "debootstrap is missing, and there is no sudo to install it with" debootstrap debian-archive-keyring
work=$(mktemp -d)
trap '$as_root rm -rf "$work"' EXIT
make_go
for release in $releases; do make_debian "$release"; done
