#!/usr/bin/env bash
# Checks the structure of the sources: includes follow the order of the layers, services use each other only through contracts, SQL is in store files,
# no unsafe functions, short files and functions. Prints TAP; findings have file and line.
set -euo pipefail
cd "$(dirname "$0")/.."

. tests/tap.sh

mapfile -t sources < <(git ls-files --cached --others --exclude-standard -- '*.c' '*.h' 2>/dev/null | while read -r file; do
        [ ! -f "$file" ] || echo "$file"
done)
if [ "${#sources[@]}" = 0 ]; then # not a git folder: an unpacked archive
        mapfile -t sources < <(find . -name '*.[ch]' -not -path './build*' -not -path '*/node_modules/*' | sed 's,^\./,,')
fi

# Each folder includes itself and those before it. fuzz/, bench/ and tools/ are not layers and may include all of them.
# shellcheck disable=SC2016
report 'includes follow the order of the layers' "$(awk '
        BEGIN {
                n = split("sonet base json db cache auth http rpc bus mail push services gateway cmd", ladder, " ")
                for (i = 1; i <= n; i++) rank[ladder[i]] = i
        }
        match($0, /^#include "[^"\/]+\//) {
                split(FILENAME, path, "/")
                folder = substr($0, 11, RLENGTH - 11)
                # The compiled contracts are below everything that uses them.
                if (folder == "services" && $0 ~ /\.(pb-c|rpc|stubs)\.h"/) next
                if (path[1] in rank && folder in rank && rank[folder] > rank[path[1]]) print FILENAME ":" FNR ": " $0
        }' "${sources[@]}")"

# shellcheck disable=SC2016
report 'services include only contracts of other services' "$(awk '
        match($0, /^#include "services\/[a-z_]+\//) {
                split(FILENAME, path, "/")
                other = substr($0, 20, RLENGTH - 20)
                if (path[1] == "services" && path[3] != "" && other != path[2] && $0 !~ /\.(pb-c|rpc|stubs)\.h"/) print FILENAME ":" FNR ": " $0
        }' "${sources[@]}")"

report 'includes of our own are path-qualified' "$(grep -nE '^#include "[^/"]+"' "${sources[@]}" | grep -vE '\.(pb-c|rpc)\.h"' || true)"

report 'statements are in store files, and in the platform below the services' \
        "$(grep -nE '^ *DB_STATEMENT\(' "${sources[@]}" | grep -vE '^(services/([a-z]+/)?(store|test)[a-z_]*\.c|(db|bus|mail)/[a-z_]+\.c):' || true)"

report 'every source begins with a comment on what it owns' "$(for file in "${sources[@]}"; do
        head -c 2 "$file" | grep -q '^/\*' || echo "$file: please begin with a comment"
done)"

unsafe='strcpy|strcat|stpcpy|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|gets|tmpnam|mktemp|alloca|rand|srand|gmtime|localtime|ctime|asctime|strerror_l|setjmp|longjmp'
report 'no unsafe functions' \
        "$(grep -nE "(^|[^A-Za-z0-9_.>])($unsafe) *\(" "${sources[@]}" | grep -vE '^[^:]+:[0-9]+: *(\*|/\*|//)' || true)"

# A wait that uses the wall clock takes an hour longer if that is set back by one: base/ticker.h uses the monotonic clock.
wall='pthread_cond_timedwait|pthread_mutex_timedlock|sem_timedwait|pthread_condattr_setclock|pthread_cond_clockwait'
report 'waits use the monotonic clock, in one place' \
        "$(grep -nE "(^|[^A-Za-z0-9_.>])($wall) *\(" "${sources[@]}" | grep -v '^base/ticker.c:' || true)"

report 'no static function has a name that is meaningless in a stack trace' \
        "$(grep -nE '^static [a-z_ ]*[ *](run|refuse)\(' "${sources[@]}" || true)"

# Longer ones have more than one topic: split them.
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- '*.mjs' '*.js' '*.sh' '*.proto' '*.sql' dev 2>/dev/null | while read -r file; do
        [ ! -f "$file" ] || echo "$file"
done)
report 'no file over 500 lines' "$(wc -l "${sources[@]}" "${scripts[@]}" | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }')"

# From the opening brace of its body to the closing one.
# shellcheck disable=SC2016
report 'no function over 50 lines' "$(awk '
        FNR == 1 { start = 0 }
        /^\{$/ { start = FNR; name = last }
        /^\}/ && start {
                if (FNR - start + 1 > 50) print FILENAME ":" start ": " FNR - start + 1 " lines: " name
                start = 0
        }
        /^[a-z]/ { last = $0 }' "${sources[@]}"
awk '
        FNR == 1 { start = 0 }
        /^(export )?(async )?function |^(test|before|after)\(/ && !/[;}]$/ { start = FNR; name = $0 }
        /^\}/ && start {
                if (FNR - start + 1 > 50) print FILENAME ":" start ": " FNR - start + 1 " lines: " name
                start = 0
        }' "${scripts[@]}")"

finish_tap
