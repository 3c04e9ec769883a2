#!/usr/bin/env bash
# `sonet serve` as seen by an orchestrator: health, readiness and metrics over HTTP, from the start, while PostgreSQL is unreachable. With PostgreSQL:
# tests/e2e/lifecycle.test.mjs. Prints TAP.
#   SONET_BIN=build-debug/cmd/sonet tests/test_serve.sh
set -euo pipefail
cd "$(dirname "$0")/.."

sonet=$(readlink -f "${SONET_BIN:-build-debug/cmd/sonet}")
dir=$(mktemp -d /tmp/sonet-serve.XXXXXX)
unset HTTP_PORT HTTP_ADDRESS GRPC_PORT DATABASE_POOL SONET_RATE_LIMITS
export SONET_KEY_FILE=$dir/key LOG_FORMAT=json
export DATABASE_URL="postgresql://{service_name}@127.0.0.1:1/{service_name}" REDIS_URL=redis://127.0.0.1:1 # nothing listens there
(umask 077 && head -c 32 /dev/urandom | basenc --base64url -w0 | tr -d '=' >"$SONET_KEY_FILE")
serve_pid=
silent_pid=
url=
tap_log=$dir/check
. tests/tap.sh

finish() {
        [ -z "$serve_pid" ] || kill -KILL "$serve_pid" 2>/dev/null || true
        [ -z "$silent_pid" ] || { kill -KILL "$silent_pid"; wait "$silent_pid"; } 2>/dev/null || true
        rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

listens() { # WHAT
        : >"$dir/log" # the previous log has another port, until the shell that starts this one has truncated it
        "$sonet" serve --port 0 "$1" >"$dir/log" 2>&1 &
        serve_pid=$!
        local port=
        for _ in $(seq 1200); do
                port=$(sed -n 's/.*"message":"listening".*"server.port":\([0-9]*\).*/\1/p' "$dir/log")
                [ -z "$port" ] || break
                kill -0 "$serve_pid" 2>/dev/null || break
                sleep 0.05
        done
        cat "$dir/log"
        url=http://127.0.0.1:$port
        [ -n "$port" ]
}
env_listens() { # VARIABLE=VALUE WHAT
        local -x "${1?}"
        listens "$2"
}
# answers STATUS PATTERN PATH [OPTION…]: headers and body of the response match the pattern.
answers() {
        local status=$1 pattern=$2 path=$3
        shift 3
        curl -sS -m 30 -i "$@" "$url$path" >"$dir/answer"
        cat "$dir/answer"
        [ "$(sed -n '1s,^HTTP/1.1 \([0-9]*\).*,\1,p' "$dir/answer")" = "$status" ] && grep -qiE "$pattern" "$dir/answer"
}
nothing_else() {
        local path
        for path in / /openapi.json /.well-known/jwks.json /v1/notes /v1/timelines/home; do
                answers 404 '^content-type: application/problem\+json' "$path" && grep -q '"code":"route_not_found"' "$dir/answer" || return 1
        done
}
# says PATTERN COMMAND…: it fails, and its output matches.
says() {
        local pattern=$1
        shift
        ! timeout 30 "$@" >"$dir/said" 2>&1 || return 1
        cat "$dir/said"
        grep -q "$pattern" "$dir/said"
}
stops() {
        local code=0
        kill -TERM "$serve_pid"
        wait "$serve_pid" || code=$?
        serve_pid=
        cat "$dir/log"
        return $code
}

# A server that accepts connections and sends nothing, like PostgreSQL with a stopped postmaster.
silent_database() {
        python3 -c 'import signal, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(500)
print(s.getsockname()[1], flush=True)
signal.pause()' >"$dir/silent" &
        silent_pid=$!
        for _ in $(seq 1200); do
                [ ! -s "$dir/silent" ] || break
                sleep 0.05
        done
        DATABASE_URL="postgresql://{service_name}@127.0.0.1:$(<"$dir/silent")/{service_name}"
}
# 64 concurrently, each within the documented two seconds, and all of them report what is unreachable.
many_are_answered() {
        seq 64 | xargs -P 64 -I{} curl -sS -m 2 -o "$dir/many-{}" -w '%{http_code}\n' "$url/readyz" >"$dir/codes" || return 1
        sort "$dir/codes" | uniq -c
        [ "$(sort -u "$dir/codes")" = 503 ] && [ "$(grep -l '^note: database down' "$dir"/many-* | wc -l)" = 64 ]
}
nothing_of_the_database() {
        curl -sS -m 30 "$url/readyz" >"$dir/answer"
        cat "$dir/answer"
        ! grep -qiE 'connect|refused|server|port|host|/' "$dir/answer"
}
log_tells_why() {
        for _ in $(seq 1200); do
                ! grep -q '"message":"waiting".*cannot connect: connection to server at' "$dir/log" || return 0
                sleep 0.05
        done
        cat "$dir/log"
        return 1
}

check 'a single service listens before its database is reachable' listens note
check 'it is healthy' answers 200 '^ok' /healthz
check 'it is not ready, and reports what is unreachable' answers 503 '^note: database down, migrations unknown, lease awaited' /readyz
check 'and that it waits for that, not for another process' answers 503 '^this process: waiting for its databases' /readyz
check 'it does not reveal the reason to clients' nothing_of_the_database
check 'but logs it' log_tells_why
check 'readiness has Retry-After' answers 503 '^retry-after: 1' /readyz
check 'it has metrics' answers 200 '^sonet_workers_busy\{' /metrics
check 'all other routes are not found, with a problem' nothing_else
check 'a method that health does not support is rejected' answers 405 '^allow: .*GET' /healthz -X DELETE
check 'it stops cleanly while it waits for its database' stops
check 'a process with the gateway listens as early' listens all
check 'it is healthy' answers 200 '^ok' /healthz
check 'it reports for each service what it waits for' answers 503 '^timeline: database down, migrations unknown, lease not needed' /readyz
check 'its routes respond that they are starting' answers 503 '"code":"starting"' /v1/timelines/home
check 'with Retry-After' answers 503 '^retry-after: 1' /v1/auth/login -H 'Content-Type: application/json' -d '{"login":"a","password":"b"}'
check 'its keys are not available yet' answers 503 '^retry-after: 1' /.well-known/jwks.json
check 'it stops cleanly, too' stops
check 'a process with a public address starts' env_listens PUBLIC_URL=https://social.example.org all
check 'and has it in its OpenAPI document' answers 200 '"servers":\[\{"url":"https://social.example.org",' /openapi.json -H 'Host: elsewhere.example.org'
check 'it stops, too' stops
check 'an address with a path is rejected' says 'PUBLIC_URL must be an address like' env PUBLIC_URL=https://example.org/social "$sonet" serve --port 0 all
silent_database
check 'a process listens whose database accepts connections and is silent' listens all
check 'it answers many who ask at once whether it is ready' many_are_answered
check 'it stops well although nothing answers it' stops
check 'media-worker cannot be combined' says 'media-worker cannot be combined' "$sonet" serve --port 0 media-worker gateway
check 'without REDIS_URL it says that it is not set' says 'REDIS_URL is not set' env -u REDIS_URL "$sonet" serve --port 0 gateway

finish_tap
