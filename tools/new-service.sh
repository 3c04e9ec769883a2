#!/usr/bin/env bash
# Creates the folder of a new service from tools/new-service/, and adds its name to the list of services.
#   new-service.sh NAME
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
fail() { printf 'new-service: %s\n' "$*" >&2; exit 1; }

name=${1:-}
[[ $name =~ ^[a-z][a-z0-9]{1,30}$ ]] || fail "please give a name of 2 to 31 lowercase letters and digits, as in ./dev new-service poll"
[ ! -e "services/$name" ] || fail "services/$name exists already"

fill() { # TEMPLATE FILE
        mkdir -p "$(dirname "$2")"
        sed "s/@name@/$name/g; s/@Name@/${name^}/g; s/@NAME@/${name^^}/g" "tools/new-service/$1" >"$2"
}

(cd tools/new-service && find . -name '*.in' ! -name 'e2e*' -printf '%P\n') | while read -r template; do
        file=${template%.in}
        fill "$template" "services/$name/${file/#name./$name.}"
done
fill e2e.test.mjs.in "tests/e2e/$name.test.mjs"
sed -i "s/^service_names = \[\(.*\)\]/service_names = [\1, '$name']/" meson.build

cat <<END
services/$name counts notes: change it into what you need. Its README says which file is which.
  ./dev build && ./dev test $name      # its end-to-end tests: tests/e2e/$name.test.mjs
A build folder that exists already has to see the new files: meson setup --reconfigure build-debug
END
