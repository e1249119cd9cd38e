#!/bin/sh
# A C compiler with AddressSanitizer and UBSan: $CC for scripts/asan.sh. Go takes no flags in $CC when it is told -asan.
exec "${PLAIN_CC:-cc}" -g -fsanitize=address,undefined -fno-sanitize-recover=all "$@"
