#!/bin/sh
# Compiles one .proto with protobuf-c and, given its path, with protoc-gen-sonet. protoc writes a tree of folders, Meson knows only flat
# outputs: they are laid into OUT. protobuf-c sees no services: SoNet has its own, and protobuf-c's cannot be called "Register".
#   compile-proto.sh OUT NAME.proto GENERATOR|- -IROOT…
set -eu
out=$1 name=$2 generator=$3
shift 3
tree=$(mktemp -d "$out/.proto.XXXXXX")
trap 'rm -rf "$tree"' EXIT
if [ "$generator" = - ]; then
        protoc "$@" --c_out="$tree" "$name"
else
        protoc "$@" --plugin=protoc-gen-sonet="$generator" --sonet_out="$tree" --include_imports --include_source_info \
                --descriptor_set_out="$tree/all.set" "$name"
        "$generator" --without-services <"$tree/all.set" >"$tree/messages.set"
        protoc --descriptor_set_in="$tree/messages.set" --c_out="$tree" "$name"
fi
mv -f "$tree/$(dirname "$name")"/*.[ch] "$out/"
