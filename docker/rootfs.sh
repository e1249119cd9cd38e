#!/bin/sh
# rootfs.sh DIR PROGRAM copies to DIR the shared libraries that a program loads, at their paths, and what a C library and a Go
# program look for in a file system. Host names are looked up by libraries that the C library loads by name (before glibc 2.34).
set -eu
dir=$1 program=$2

mkdir -p "$dir/etc" "$dir/tmp"
chmod 1777 "$dir/tmp"
echo 'hosts: files dns' >"$dir/etc/nsswitch.conf"
echo 'nonroot:x:65532:65532::/tmp:' >"$dir/etc/passwd"

libraries=$(ldd "$program" | grep -o '/[^ ]*')
libc=$(echo "$libraries" | grep '/libc\.so')
for file in $libraries "${libc%/*}"/libnss_dns.so.2 "${libc%/*}"/libnss_files.so.2; do
	cp --parents -L "$file" "$dir"
done
