#!/bin/sh
# Fills docker/modules with the Go modules that the build needs, from the module cache of this machine or by download, so that
# `docker build` needs no network for them. Where there is no Go, the build downloads them.
set -eu
cd "$(dirname "$0")/.."
command -v go >/dev/null || exit 0

cache=$(mktemp -d)
trap 'rm -rf "$cache"' EXIT
GOMODCACHE=$cache GOPROXY="file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)" \
	go mod download -modcacherw
find docker/modules -mindepth 1 ! -name .gitignore -delete
cp -r "$cache/cache/download/." docker/modules/
