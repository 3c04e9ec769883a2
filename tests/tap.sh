# shellcheck shell=bash
# What the tests in shell scripts share: checks that print TAP, and the plan at the end. Source it with `tap_log` set to a file for a check's output.
tests=0
bad=0

# report NAME FINDINGS: the test passes if there are no findings.
report() {
        tests=$((tests + 1))
        if [ -z "$2" ]; then
                echo "ok $tests - $1"
        else
                bad=$((bad + 1))
                echo "not ok $tests - $1"
                printf '%s\n' "$2" | sed 's/^/# /'
        fi
}

# check NAME COMMAND…: the test passes if the command succeeds. Inside it `set -e` is off (bash), so steps are chained with && or || return.
check() {
        local name=$1
        shift
        if "$@" >"$tap_log" 2>&1; then
                report "$name" ''
        else
                report "$name" "it failed; the end of its output:
$(tail -n 40 "$tap_log")"
        fi
}

# At the end: how many tests there were. Fails if one did.
finish_tap() {
        echo "1..$tests"
        [ "$bad" = 0 ]
}
