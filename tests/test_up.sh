#!/usr/bin/env bash
# `sonet up` from a user's view: the first start, its output, its errors, interrupted starts. Tests while it serves (killed children, stopping under
# load) are in tests/e2e/lifecycle.test.mjs. Prints TAP.
#   SONET_BIN=build-debug/cmd/sonet tests/test_up.sh
set -euo pipefail
cd "$(dirname "$0")/.."

sonet=$(readlink -f "${SONET_BIN:-build-debug/cmd/sonet}")
dir=$(mktemp -d /tmp/sonet-up.XXXXXX)
chmod 755 "$dir"
export SONET_KEY_FILE=$dir/key LOG_FORMAT=text
unset HTTP_PORT HTTP_ADDRESS GRPC_PORT DATABASE_URL DATABASE_POOL REDIS_URL SONET_DATA_DIR SONET_RATE_LIMITS
up_pid=
tap_log=$dir/check
. tests/tap.sh

finish() {
        [ -z "$up_pid" ] || kill -KILL "$up_pid" 2>/dev/null || true
        for _ in $(seq 100); do # its children exit with it; PostgreSQL writes a checkpoint first
                [ -n "$(inside)" ] || break
                sleep 0.1
        done
        rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

# Processes that use our folder.
inside() {
        local link
        for link in /proc/[0-9]*/cwd; do
                case $(readlink "$link" 2>/dev/null) in "$dir"/*) echo "${link//[^0-9]/}" ;; esac
        done
}

# start FOLDER [OPTION…]: in the background; its output goes to $dir/out and $dir/err.
start() {
        local folder=$1
        shift
        "$sonet" up --port 0 --data "$folder" "$@" >"$dir/out" 2>"$dir/err" &
        up_pid=$!
}
# Waits for a line; fails if the process exits first.
await() {
        for _ in $(seq 1200); do
                ! grep -q "$1" "$dir/out" || return 0
                kill -0 "$up_pid" 2>/dev/null || return 1
                sleep 0.05
        done
        return 1
}
ready() { await '^Ctrl-C stops' || { cat "$dir/out" "$dir/err"; return 1; }; }
stop() { # SIGNAL…: returns its exit code
        local code=0 signal
        for signal in "$@"; do kill "-$signal" "$up_pid"; done
        wait "$up_pid" || code=$?
        up_pid=
        return $code
}

# refused PATTERN OPTION…: exits with 1 and prints the reason.
refused() {
        local pattern=$1 code=0
        shift
        timeout 60 "$sonet" up "$@" >"$dir/refused" 2>&1 || code=$?
        cat "$dir/refused"
        [[ $code = 1 || $code = 78 ]] && grep -q "$pattern" "$dir/refused"
}

first_start() {
        start "$dir/data" --demo
        ready && grep -q '^creating the database' "$dir/out" && [ "$(grep -c '^ready http://127.0.0.1:[0-9]*$' "$dir/out")" = 1 ]
}
# The three commands as printed, in a new shell.
printed_commands_work() {
        grep -E '^  (TOKEN=|curl )' "$dir/out" >"$dir/commands"
        [ "$(wc -l <"$dir/commands")" = 3 ] && bash -eu "$dir/commands" >"$dir/answers" || return 1
        cat "$dir/answers"
        [ "$(grep -o '"text":"Hello, world"' "$dir/answers" | wc -l)" = 2 ] # the post, and the timeline with it
}
children_are_not_root() {
        local pid children
        children=$(pgrep -P "$up_pid")
        for pid in $children; do
                [ "$(stat -c %u "/proc/$pid")" != 0 ] || { tr '\0' ' ' <"/proc/$pid/cmdline"; return 1; }
        done
        [ -n "$children" ]
}
only_the_owner_reads() { # secrets are in files with mode 0600, whether or not others can access the folder
        local file
        for file in "$SONET_KEY_FILE" "$dir/data/demo-account" "$dir/data/redis/redis.conf" "$dir/data/postgresql/15/pg_hba.conf"; do
                [ "$(stat -c %a "$file")" = 600 ] || { stat "$file"; return 1; }
        done
        [ "$(stat -c %a "$dir/data/run")" = 700 ]
}
no_dead_letters_are_no_output() {
        "$sonet" admin deadletters list --data "$dir/data" >"$dir/letters" 2>"$dir/words" || return 1
        cat "$dir/letters" "$dir/words"
        [ ! -s "$dir/letters" ] && grep -qx 'no dead letters' "$dir/words"
}
admin_names_a_stopped_folder() {
        ! "$sonet" admin deadletters list --data "$dir/data" >"$dir/words" 2>&1 || return 1
        cat "$dir/words"
        grep -q "SoNet is not running on $dir/data; start it with 'sonet up'" "$dir/words" && [ "$(wc -l <"$dir/words")" = 1 ]
}
admin_names_a_wrong_key() {
        (umask 077 && printf '%s\n' AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA >"$dir/key4")
        ! SONET_KEY_FILE=$dir/key4 "$sonet" admin deadletters list --data "$dir/data" >"$dir/words" 2>&1 || return 1
        cat "$dir/words"
        grep -q "the key file $dir/key4 is not the one" "$dir/words" && [ "$(wc -l <"$dir/words")" = 1 ]
}
own_servers_are_not_ignored_in_silence() {
        DATABASE_URL=postgresql://u:hidden@h/db REDIS_URL=redis://h refused 'ignoring DATABASE_URL, REDIS_URL: ' --address 192.0.2.1 --data "$dir/data" &&
                ! grep -q hidden "$dir/refused"
}
memory_is_said_and_set() {
        local data=$dir/data
        export EMBEDDED_POSTGRESQL_BYTES=50331648 EMBEDDED_REDIS_BYTES=33554432
        start "$data"
        ready && grep -q '^memory: PostgreSQL 48 MiB, Redis 32 MiB, of [0-9]*' "$dir/out" &&
                grep -qx 'shared_buffers = 49152kB' "$data/postgresql/15/sonet.conf" && grep -qx 'maxmemory 33554432' "$data/redis/redis.conf"
        local code=$?
        unset EMBEDDED_POSTGRESQL_BYTES EMBEDDED_REDIS_BYTES
        stop INT && return $code
}
# A segment of the write-ahead log that does not exist when it is needed holds up every COMMIT.
wal_is_prepared() {
        local segments=0 code=1
        start "$dir/data" && ready || return 1
        for _ in $(seq 600); do
                segments=$(find "$dir/data/postgresql/15/pg_wal" -name '0*' | wc -l)
                [ "$segments" -lt 13 ] || { code=0 && break; }
                sleep 0.1
        done
        [ $code = 0 ] || echo "only $segments segments"
        stop INT && return $code
}
stops_well() { stop INT && [ -z "$(inside)" ]; }
second_start_keeps_all() {
        local before
        before=$(grep 'Account' "$dir/out")
        start "$dir/data" --demo
        ready && grep -q '^starting on' "$dir/out" && [ "$(grep 'Account' "$dir/out")" = "$before" ] && printed_commands_work_again
}
printed_commands_work_again() {
        grep -E '^  (TOKEN=|curl .*home)' "$dir/out" >"$dir/commands"
        bash -eu "$dir/commands" | grep -q '"text":"Hello, world"'
}
second_stop_forces() {
        local code=0
        stop TERM TERM || code=$?
        [ $code = 0 ] && [ -z "$(inside)" ]
}
# Not even that of an account created by an earlier start.
password_only_when_asked_for() {
        local password code=0
        password=$(sed -n 's/^password //p' "$dir/data/demo-account")
        [ -n "$password" ] || return 1
        start "$dir/data"
        ready || return 1
        grep -F -e "$password" -e Account "$dir/out" "$dir/err" && code=1
        grep -q '^  Members  register' "$dir/out" || code=1
        stop INT && return $code
}
no_account_unasked() {
        start "$dir/plain"
        ready && [ ! -e "$dir/plain/demo-account" ] && curl -s "$(sed -n 's/^ready //p' "$dir/out")/v1/users/demo" | grep -q '"not_found"' && stop INT
}
# As after an upgrade: one service is new, and another one has migrations to run.
missing_databases_are_made() {
        local as=() answer
        [ "$(id -u)" != 0 ] || as=(setpriv --reuid=postgres --regid=postgres --clear-groups --)
        printf '%s\n' 'drop database search_service' 'drop database analytics_service' 'create database analytics_service owner analytics_service_owner' |
                "${as[@]}" /usr/lib/postgresql/15/bin/postgres --single -D "$dir/plain/postgresql/15" postgres >"$dir/single" 2>&1 || return 1
        start "$dir/plain" "$@"
        ready || return 1
        answer=$(curl -s "$(sed -n 's/^ready //p' "$dir/out")/readyz")
        echo "$answer"
        [[ $answer =~ (search|analytics):.*(search|analytics): && ! $answer =~ incomplete|down|not\ ready ]] && stop INT
}
port_in_use() {
        local port code=0
        start "$dir/data"
        ready || return 1
        port=$(sed -n 's,^ready http://127.0.0.1:,,p' "$dir/out")
        refused 'is not free' --port "$port" --data "$dir/other" || code=1
        stop INT && return $code
}
cut_off_first_starts_are_taken_up() {
        local after
        for after in 0.1 0.5 1; do
                start "$dir/cut"
                sleep "$after" # wherever that is: any moment must do
                stop KILL || true
        done
        start "$dir/cut" --split
        ready && stop INT
}

# refused_with VARIABLE=VALUE PATTERN OPTION…: the same with a setting.
refused_with() {
        local setting=$1
        shift
        (export "${setting?}" && refused "$@")
}
# refused_at_once SETTING PATTERN OPTION…: without creating or starting anything.
refused_at_once() { refused_with "$@" --data "$dir/unmade" && [ ! -e "$dir/unmade" ]; }
writes_into_no_file_of_its_own() { # if 0, 1 and 2 are closed, the first files that it opens would get these descriptors
        local port
        port=$(sed -n 's,^ready http://127.0.0.1:,,p' "$dir/out")
        "$sonet" up --port "$port" --data "$dir/data" <&- >&- 2>&- &
        up_pid=$!
        for _ in $(seq 1200); do
                ! curl -sf -o /dev/null "http://127.0.0.1:$port/readyz" || break
                kill -0 "$up_pid" || return 1
                sleep 0.05
        done
        stop INT && cat "$dir/data/lock" && grep -qx '[0-9]*' "$dir/data/lock" && [ "$(wc -l <"$dir/data/lock")" = 1 ]
}
grpc_port() {
        local port code=0
        start "$dir/data"
        ready || return 1
        port=$(sed -n 's,^ready http://127.0.0.1:,,p' "$dir/out")
        grep -q "^  gRPC     127.0.0.1:[0-9]*$" "$dir/out" || code=1
        refused_with GRPC_PORT="$port" "port $port of 127.0.0.1 is not free.*GRPC_PORT" --port 0 --data "$dir/other" || code=1
        stop INT && return $code
}

check 'the first start creates what is missing and says that it is ready' first_start
check 'the three printed examples work' printed_commands_work
[ "$(id -u)" != 0 ] || check 'no child runs as root' children_are_not_root
check 'only their owner can read secrets' only_the_owner_reads
check 'sonet admin finds the databases of sonet up, and reports if there are no dead letters' no_dead_letters_are_no_output
check 'sonet admin reports a wrong key file' admin_names_a_wrong_key
check 'Ctrl-C stops it cleanly and leaves no process' stops_well
check 'sonet admin reports that a folder is not running' admin_names_a_stopped_folder
check 'the second start keeps the account and the notes' second_start_keeps_all
check 'a second request stops it at once, and cleanly' second_stop_forces
check "the demo account's password is printed only when asked for" password_only_when_asked_for
check 'no demo account is created unless requested' no_account_unasked
check 'databases that an upgrade needs are made' missing_databases_are_made
check 'databases that an upgrade needs are made, with a process for each service' missing_databases_are_made --split --address 127.0.0.2
check 'the memory of the servers is printed, and settings override it' memory_is_said_and_set
check 'segments of the write-ahead log exist before they are needed' wal_is_prepared
check 'it fails if a port is taken' port_in_use
check 'it fails if a requested gRPC port is taken, and the banner shows the gRPC port' grpc_port
check 'started without standard descriptors it does not write to its own files' writes_into_no_file_of_its_own
check 'an interrupted first start is continued by the next one' cut_off_first_starts_are_taken_up

long=$dir/$(printf 'x%.0s' {1..90})
check 'a folder with a path too long for sockets is rejected' refused 'bytes too long' --data "$long"
check 'a folder name that configuration files cannot contain is rejected' refused 'must not contain' --data "$dir/a%b"
mkdir -p "$dir/closed" && chmod 700 "$dir/closed"
[ "$(id -u)" != 0 ] || check 'a folder that the account cannot access is rejected, and the error names the inaccessible parent' \
        refused "may not enter $dir/closed" --data "$dir/closed/data"
check 'a different key is rejected' env SONET_KEY_FILE="$dir/key2" bash -c "
        printf '%s\n' AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA >'$dir/key2'; chmod 600 '$dir/key2'
        '$sonet' up --port 0 --data '$dir/data' 2>&1 | grep 'is not the one'"
[ "$(id -u)" != 0 ] || check 'a key file of another account is rejected' env SONET_KEY_FILE="$dir/key5" bash -c "
        install -m 600 -o nobody '$dir/key' '$dir/key5'
        '$sonet' up --port 0 --data '$dir/data' 2>&1 | grep 'belongs to another account'"
check 'a missing key is never replaced under existing data' env SONET_KEY_FILE="$dir/key3" bash -c "
        '$sonet' up --port 0 --data '$dir/data' 2>&1 | grep 'is missing' && [ ! -e '$dir/key3' ]"
check 'a key inside the data folder is rejected' env SONET_KEY_FILE="$dir/inner/key" bash -c "
        '$sonet' up --port 0 --data '$dir/inner' 2>&1 | grep 'is in the data folder'"
check 'an invalid address is rejected' refused 'is not an IP address' --address nowhere --data "$dir/data"
check 'an address of another machine is reported as such, not as a taken port' refused '192.0.2.1 is not an address of this machine' \
        --address 192.0.2.1 --data "$dir/data"
check 'an empty folder name is rejected' refused 'data must not be empty' --data ''
touch "$dir/file"
check 'a file is rejected as data folder' refused "$dir/file is not a folder" --data "$dir/file"
check 'a path below a file is rejected as data folder' refused "$dir/file/data is not a folder" --data "$dir/file/data"
check 'unencrypted gRPC beyond loopback is rejected before anything starts' refused_at_once GRPC_ADDRESS=0.0.0.0 'GRPC_ADDRESS=0.0.0.0 needs GRPC_TLS_CERT'
printf '{"name": "sms",\n oops' >"$dir/sms.json"
check 'an invalid description of a provider is rejected before anything starts' refused_at_once SMS_PROVIDER="$dir/sms.json" \
        "$dir/sms.json must hold the description of a provider in JSON, but it is invalid at line 2"
check 'invalid origins are rejected before anything starts' refused_at_once CORS_ORIGINS=foo '"foo" is not one'
check 'GRPC_PORT may not be the port of --port' refused_at_once GRPC_PORT=9 'both 9' --port 9
check 'it warns about server settings that it ignores' own_servers_are_not_ignored_in_silence
check 'pools that exceed the database'"'"'s connections are rejected' env DATABASE_POOL=30 bash -c "
        '$sonet' up --port 0 --data '$dir/data' 2>&1 | grep 'DATABASE_POOL=30'"
check 'an unknown command suggests the nearest one' bash -c "'$sonet' srve 2>&1 | grep \"did you mean 'serve'\""
check 'sonet help serve lists its options' bash -c "'$sonet' help serve | grep -q '^  --port N .*gRPC'"
check 'every command explains itself' bash -c "for c in up serve migrate config admin help; do '$sonet' help \$c | grep -q '^Usage: sonet '\$c; done"
check 'settings are printed without passwords' env DATABASE_URL=postgresql://u:hidden@h/db bash -c "
        '$sonet' config >'$dir/config' && grep -q '^HTTP_PORT=' '$dir/config' && ! grep -q hidden '$dir/config'"

finish_tap
