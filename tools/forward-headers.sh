#!/bin/sh
# Writes headers that only include another one: sources and protoc-c include "services/note/note.pb-c.h", but Meson generates OUT/note.pb-c.h. Run at
# configure time; the forwarding headers never change, so Ninja sees every change of the real ones.
#   forward-headers.sh OUT PATH…
set -eu
out=$1
shift
for path; do
        up=$(dirname "$path" | sed 's,[^/][^/]*,..,g')
        mkdir -p "$out/$(dirname "$path")"
        printf '#include "%s/%s"\n' "$up" "$(basename "$path")" > "$out/$path.new"
        if cmp -s "$out/$path.new" "$out/$path"; then rm "$out/$path.new"; else mv "$out/$path.new" "$out/$path"; fi
done
