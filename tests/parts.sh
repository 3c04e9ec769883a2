# shellcheck shell=bash
# The parts of a test run: runs up to $lanes of them concurrently, and counts passed tests. Sourced by ./dev, which sets $tmp to a folder.
# With one lane a part's output is shown immediately; otherwise it is shown at once when the part ends.

lanes=1
part_limit_s=3600 # a part that takes longer hangs
passed=0
failed=0
broken=()
part_title=() part_counter=() part_source=() part_start=()
declare -A part_of=() # by process: the number of the part that it runs

# Numbers of tests in a part's output. Each runner has its own format.
count_meson() { # FOLDER: every cmocka test counts, other programs count as one
        python3 - "$1/meson-logs/testlog.json" <<'PYTHON'
import json, re, sys
passed = failed = 0
for line in open(sys.argv[1]):
    test = json.loads(line)
    output = test.get('stdout', '') + test.get('stderr', '')
    good = sum(map(int, re.findall(r'\[  PASSED  \] (\d+) test', output)))
    bad = sum(map(int, re.findall(r'\[  FAILED  \] (\d+) test', output)))
    if test['result'] in ('OK', 'EXPECTEDFAIL'):
        passed += good or 1
    elif test['result'] != 'SKIP':
        passed, failed = passed + good, failed + (bad or 1)
print(passed, failed)
PYTHON
}
count_node() { # LOG: the sums of node:test's closing lines, in either of its formats
        awk '$1 !~ /^(#|ℹ)$/ { next } $2 == "pass" { p += $3 } $2 == "fail" || $2 == "cancelled" { f += $3 } END { print p + 0, f + 0 }' "$1"
}
count_tap() { # LOG: lines `ok …` and `not ok …`
        awk '/^ok / { p++ } /^not ok / { f++ } END { print p + 0, f + 0 }' "$1"
}
count_crash() { # LOG: a round without loss counts as a test, and so does finding damage with redelivery switched off
        awk '/^round [0-9]+: / || /^damage found/ { p++ } /^FAILED/ { f++ } END { print p + 0, f + 0 }' "$1"
}

# The failures in a part's log: the last section of node:test, or the lines after each failed test.
failures() { # LOG
        awk '/failing tests:/ { closing = 1 } closing || /^(not ok|FAILED)|\[  (ERROR|FAILED)|faults beside|(FAIL|TIMEOUT) / { left = 12 } left-- > 0' "$1" | head -100 || true
}

# Adds up the results of a part that exited with the given code.
count_part() { # NUMBER CODE
        local n=$1 code=$2 good=0 bad=0
        read -r good bad < <("count_${part_counter[n]}" "${part_source[n]}" 2>/dev/null || echo 0 0)
        if [ "$code" != 0 ] && [ "$bad" = 0 ]; then
                bad=1 # it ended badly without naming a test
        elif [ "$code" = 0 ] && [ "$((good + bad))" = 0 ]; then
                bad=1 # it ran nothing
        fi
        passed=$((passed + good))
        failed=$((failed + bad))
        [ "$bad" = 0 ] || { broken+=("${part_title[n]}"); failures "$tmp/part.$n.log" >"$tmp/failures.${#broken[@]}"; }
        [ $((SECONDS - part_start[n])) -lt "$part_limit_s" ] || say "${part_title[n]}: took over $part_limit_s s, and was killed"
        say "${part_title[n]}: $good passed, $bad failed, $((SECONDS - part_start[n])) s"
}

# Kills parts that hang: how they end shows that they failed.
kill_late_parts() {
        local pid
        for pid in "${!part_of[@]}"; do
                [ $((SECONDS - part_start[${part_of[$pid]}])) -lt "$part_limit_s" ] || kill -KILL -- "-$pid" 2>/dev/null || true
        done
}

# Waits for one of the running parts, and shows it.
finish_part() {
        local pid n tick code=0
        sleep 30 &
        tick=$!
        wait -n -p pid "$tick" "${!part_of[@]}" || code=$?
        if [ "$pid" = "$tick" ]; then
                kill_late_parts
                return
        fi
        kill "$tick"
        wait "$tick" 2>/dev/null || true # without a message that it was terminated
        n=${part_of[$pid]}
        unset "part_of[$pid]"
        say "── ${part_title[n]}"
        cat "$tmp/part.$n.log"
        count_part "$n" "$code"
}
finish_parts() { while [ "${#part_of[@]}" -gt 0 ]; do finish_part; done; }

# part COUNTER TITLE COMMAND…: runs it when a lane is free; continues if it fails. The COUNTER meson reads the log of the build folder in the
# command's second word.
part() {
        local counter=$1 title=$2 n=${#part_title[@]} code=0
        shift 2
        while [ "${#part_of[@]}" -ge "$lanes" ]; do finish_part; done
        part_title[n]=$title part_counter[n]=$counter part_source[n]=$tmp/part.$n.log part_start[n]=$SECONDS
        [ "$counter" != meson ] || part_source[n]=$2
        say "$title"
        if [ "$lanes" = 1 ]; then
                "$@" 2>&1 | tee "$tmp/part.$n.log" || code=${PIPESTATUS[0]}
                count_part "$n" "$code"
                return
        fi
        set -m # a separate process group, so that it can be killed with all its children
        "$@" >"$tmp/part.$n.log" 2>&1 </dev/null &
        set +m
        part_of[$!]=$n
}

# Kills running parts: the run was interrupted.
stop_parts() {
        local pid
        for pid in "${!part_of[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
        [ "${#part_of[@]}" = 0 ] || wait
}

closing_line() {
        local i
        for ((i = 1; i <= ${#broken[@]}; i++)); do # at the end, so that it is visible in the last lines of the output
                say "failed: ${broken[i - 1]}"
                cat "$tmp/failures.$i"
        done
        echo "$passed passed, $failed failed"
        [ "$failed" = 0 ]
}
