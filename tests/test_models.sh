#!/usr/bin/env bash
# Checks the models in tests/models with Spin, exhaustively: each as it is, and each of its WITHOUT_… variants, in which an error must be found. With
# --long more processes crash. Prints TAP.
#   tests/test_models.sh [--long]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/models"
# shellcheck source=tests/tap.sh
. ../tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

bounds=()
[ "${1:-}" != --long ] || bounds=(-DDEATHS=2)
run_spin() { # MODEL [-DVARIANT]: sound, an error was found, or unfinished
        local model=$PWD/$1
        (
                cd "$work"
                rm -f ./*
                if ! { spin -a "${bounds[@]}" ${2:+"$2"} "$model" && "${CC:-cc}" -O2 -w -DSAFETY -DMEMLIM=4096 -DCOLLAPSE -o pan pan.c; } >build.log 2>&1; then
                        cat build.log >&2
                        exit 1
                fi
                ./pan -m100000 >pan.log 2>&1 || true # its exit code does not depend on the result
                if grep -qE '^pan:[0-9]+: (assertion violated|invalid end state)' pan.log; then
                        echo error
                elif grep -q 'errors: 0' pan.log && ! grep -qi 'search not completed\|depth too small\|out of memory' pan.log; then
                        echo "sound, $(awk '/states, stored/ { print $1; exit }' pan.log) states"
                else
                        cat pan.log >&2
                        echo unfinished
                fi
        )
}

for model in *.pml; do
        result=$(run_spin "$model")
        case $result in sound*) report "${model%.pml} holds ($result)" '' ;; *) report "${model%.pml} holds" "$result" ;; esac
        mapfile -t variants < <(grep -oE 'WITHOUT_[A-Z_]+[A-Z]' "$model" | sort -u)
        for variant in "${variants[@]}"; do
                result=$(run_spin "$model" "-D$variant")
                if [ "$result" = error ]; then report "${model%.pml} $variant fails" ''; else report "${model%.pml} $variant fails" "it does not: $result"; fi
        done
done
finish_tap
