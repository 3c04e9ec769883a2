#!/usr/bin/env bash
# Tests the README's two commands on a bare Debian 12: debootstrap into a temporary folder, clone the last commit into it, run both there.
# Called by `./dev fresh [--quick]` (as root). It uses the mirror of this machine's apt.
set -euo pipefail
cd "$(dirname "$0")/.."

quick=no
[ "${1:-}" != --quick ] || quick=yes
say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }
fail() { printf 'fresh: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail 'a chroot needs root: sudo ./dev fresh'
command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null

root=$(mktemp -d /var/tmp/sonet-fresh.XXXXXX)
chmod 755 "$root"

# Kills only processes that still run inside: they are found by their root folder.
end_inside() {
        local link
        for link in /proc/[0-9]*/root; do
                [ "$(readlink "$link" 2>/dev/null)" != "$root" ] || kill "-$1" "${link//[^0-9]/}" 2>/dev/null || true
        done
}
finish() {
        end_inside TERM
        sleep 1
        end_inside KILL
        local mount
        for mount in dev/pts dev/shm dev proc; do
                ! mountpoint -q "$root/$mount" || umount "$root/$mount" || umount -l "$root/$mount"
        done
        if mountpoint -q "$root/proc" || mountpoint -q "$root/dev"; then
                fail "$root is still mounted: it is left as it is"
        fi
        rm -rf --one-file-system "$root"
}
trap finish EXIT
trap 'exit 130' INT TERM

# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "bookworm" && $2 == "main" { print $3; exit }')
[ -n "$mirror" ] || fail "this machine's apt has no bookworm main to take a mirror from"
[ -z "$(git status --porcelain)" ] || say 'what is not committed is not tested here'

say 'a bare Debian 12'
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; fail 'debootstrap failed'; }
rm -f "$root.log"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mkdir -p "$root/dev/shm"
mountpoint -q "$root/dev/shm" || mount -t tmpfs tmpfs "$root/dev/shm"
# This machine's name resolution. Behind a proxy, the usual variables are passed on (below), and npm's setting for its certificate.
[ ! -f "${NODE_EXTRA_CA_CERTS:-}" ] || install -m 644 "$NODE_EXTRA_CA_CERTS" "$root/root/proxy-ca.crt"
for file in /etc/resolv.conf /etc/hosts; do
        if [ -f "$file" ]; then install -m 644 "$file" "$root$file"; fi
done
git clone -q --no-local . "$root/root/sonet"

# inside COMMAND…: as root in the chroot, with only the variables for reaching the mirrors.
inside() {
        local pass=() name
        for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY npm_config_registry; do
                [ -z "${!name:-}" ] || pass+=("$name=${!name}")
        done
        [ ! -f "$root/root/proxy-ca.crt" ] || pass+=(NODE_EXTRA_CA_CERTS=/root/proxy-ca.crt)
        chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "${pass[@]}" "$@"
}

# Asks `sonet up` to stop: the one child of the background job (chroot, env, dev and sonet replace each other by exec).
stop_run() {
        kill -TERM "$(pgrep -P "$run")"
        wait "$run" || fail './dev run did not end well'
        for link in /proc/[0-9]*/root; do
                [ "$(readlink "$link" 2>/dev/null)" != "$root" ] || fail "a process was left behind: $(tr '\0' ' ' <"${link%root}cmdline")"
        done
}

say './dev run'
inside bash -c 'cd /root/sonet && exec ./dev run --port 18300' >"$root/root/run.log" 2>&1 &
run=$!
for _ in $(seq 1800); do
        ! grep -q '^Ctrl-C stops' "$root/root/run.log" || break
        kill -0 $run 2>/dev/null || { cat "$root/root/run.log"; fail './dev run ended'; }
        sleep 0.5
done
sed -n '/^ready /,$p' "$root/root/run.log"
grep -E '^  (TOKEN=|curl )' "$root/root/run.log" >"$root/root/commands"
inside bash -eu /root/commands | grep -q 'Hello, world' || fail 'the first post did not come back'
say 'a first post, by the commands as they are printed: done'
stop_run

say './dev run, once more'
started=$SECONDS
inside bash -c 'cd /root/sonet && exec ./dev run --port 18300' >"$root/root/run2.log" 2>&1 &
run=$!
for _ in $(seq 600); do
        ! grep -q '^ready ' "$root/root/run2.log" || break
        kill -0 $run 2>/dev/null || { cat "$root/root/run2.log"; fail 'the second ./dev run ended'; }
        sleep 0.1
done
say "ready after $((SECONDS - started)) s"
stop_run

if [ $quick = no ]; then
        say './dev test'
        inside bash -c 'cd /root/sonet && ./dev test'
fi
say 'fresh: all of it works on a bare Debian 12'
