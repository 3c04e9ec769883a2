#!/usr/bin/env bash
# deploy/nginx.conf as it is, except for ports, files and certificate, in front of a SoNet: client addresses are passed on and cannot be forged,
# errors are SoNet's, and operators' routes are not public. Prints TAP.
#   SONET_BIN=build-debug/cmd/sonet tests/test_proxy.sh
set -euo pipefail
cd "$(dirname "$0")/.."

sonet=$(readlink -f "${SONET_BIN:-build-debug/cmd/sonet}")
dir=$(mktemp -d /tmp/sonet-proxy.XXXXXX)
chmod 755 "$dir"
tap_log=$dir/check
. tests/tap.sh
sonet_pid=

finish() {
        [ ! -f "$dir/nginx.pid" ] || kill "$(cat "$dir/nginx.pid")" 2>/dev/null || true
        if [ -n "$sonet_pid" ] && kill "$sonet_pid" 2>/dev/null; then
                wait "$sonet_pid" || true
        fi
        rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

free_port() {
        python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_sonet() {
        SONET_KEY_FILE=$dir/key TRUSTED_PROXIES=127.0.0.1 RATE_AUTH=4 LOG_FORMAT=json \
                "$sonet" up --port 0 --data "$dir/data" >"$dir/out" 2>"$dir/log" &
        sonet_pid=$!
        for _ in $(seq 600); do
                ! grep -q '^ready http' "$dir/out" || return 0
                kill -0 "$sonet_pid" || break
                sleep 0.1
        done
        cat "$dir/out" "$dir/log"
        return 1
}

# The file from deploy/, with this test's paths.
start_nginx() {
        local to
        to=$(sed -n 's,^ready http://,,p' "$dir/out")
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=social.example.org -days 1 \
                -keyout "$dir/privkey.pem" -out "$dir/fullchain.pem"
        sed -e "s,127.0.0.1:8080,$to,; s,listen 80;,listen 127.0.0.1:$http_port;,; s,listen 443 ,listen 127.0.0.1:$https_port ," \
                -e "s,/etc/ssl/sonet,$dir,; s,/run/nginx.pid,$dir/nginx.pid,; s,/var/log/nginx/error.log,$dir/nginx.log," deploy/nginx.conf >"$dir/nginx.conf"
        nginx -p "$dir" -c "$dir/nginx.conf"
}

# ask SOURCE PATH [OPTION…]: over TLS from a loopback address; prints the status, then the body.
ask() {
        local source=$1 path=$2
        shift 2
        curl -sS -k -m 30 --interface "$source" --resolve "social.example.org:$https_port:127.0.0.1" -w '\n%{http_code} %{http_version}\n' "$@" \
                "https://social.example.org:$https_port$path"
}
log_in() { # SOURCE [OPTION…]
        local source=$1
        shift
        ask "$source" /v1/auth/login -H 'Content-Type: application/json' -d '{"login": "nobody", "password": "wrong horse"}' "$@"
}
says() { # PATTERN COMMAND…
        local pattern=$1
        shift
        "$@" | tee /dev/stderr | grep -q -- "$pattern"
}
spend_limit() { # SOURCE: until it is rejected, and not before the limit
        local n=0
        while ! log_in "$1" | grep -q rate_limited; do
                n=$((n + 1))
                [ "$n" -lt 20 ] || return 1
        done
        [ "$n" -ge 4 ]
}
redirects() {
        curl -sS -m 10 -o /dev/null -w '%{http_code} %{redirect_url}' -H 'Host: social.example.org' "http://127.0.0.1:$http_port/v1/users?query=a" |
                grep -q '^308 https://social.example.org/v1/users?query=a$'
}

# The first message of a stream, over WebSocket with the client of python3-websockets.
socket_says() {
        /usr/bin/python3 - "$https_port" <<'PYTHON'
import asyncio, json, ssl, sys, websockets
async def main():
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    async with websockets.connect(f"wss://127.0.0.1:{sys.argv[1]}/v1/stream", ssl=tls) as stream:
        await stream.send(json.dumps({"type": "subscribe", "channel": "hashtag:proxy"}))
        print(await stream.recv())
        await (await stream.ping())
asyncio.run(main())
PYTHON
}
# The same by server-sent events, which arrive although the response does not end.
events_say() {
        ask 127.0.0.2 '/v1/stream?channels=hashtag:proxy' -N -H 'Accept: text/event-stream' -m 3 >"$dir/events" || true # it is interrupted then
        cat "$dir/events"
}

http_port=$(free_port)
https_port=$(free_port)
check 'SoNet starts with a trusted proxy' start_sonet
check 'nginx accepts the file' start_nginx
check 'clients use HTTP/2, and the page is served' says '^200 2$' ask 127.0.0.2 /
check 'plain HTTP is redirected to TLS' redirects
check 'problems come from SoNet' says '"code":"not_found"' ask 127.0.0.2 /v1/users/nobody
check 'metrics are not public' says '^404 2$' ask 127.0.0.2 /metrics
check 'a stream works over WebSocket' says '"type":"subscribed"' socket_says
check 'and as server-sent events, at once' says '"type":"subscribed"' events_say
check 'a client uses up its own limit' spend_limit 127.0.0.2
check 'and cannot forge another address' says rate_limited log_in 127.0.0.2 -H 'X-Forwarded-For: 203.0.113.7' -H 'Forwarded: for=203.0.113.7'
check 'another client is still served' says credentials_wrong log_in 127.0.0.3

finish_tap
