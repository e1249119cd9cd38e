# shellcheck shell=bash disable=SC2034
# Sourced by the scripts of this folder: which releases and images there are. RELEASES and GO_VERSION choose others.

releases=${RELEASES:-bookworm trixie bullseye}
for release in $releases; do
	case $release in
	bookworm | trixie | bullseye) ;;
	*)
		echo "docker: unknown Debian release '$release' in RELEASES: the releases are bookworm, trixie and bullseye" >&2
		exit 2
		;;
	esac
done

# The one of this machine, so that docker/base.sh can make the image; any other does where it can be pulled, or there is no Go.
go_version=${GO_VERSION:-$(go env GOVERSION 2>/dev/null || echo go1.26)}
go_version=${go_version#go}

go_image=golang:$go_version

debian_image() { echo "debian:$1-slim"; }

# image NAME RELEASE is an image that docker/Dockerfile makes.
image() { echo "zmq-exit/$1:$2"; }

# made_from IMAGE prints what docker/base.sh has made the image from: nothing if it comes from elsewhere.
base_label=zmq-exit.base
made_from() { docker image inspect -f "{{with .Config.Labels}}{{index . \"$base_label\"}}{{end}}" "$1" 2>/dev/null; }
