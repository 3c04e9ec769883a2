#!/bin/sh
# Compiles one .proto with protobuf-c and, given its path, with protoc-gen-sonet. protoc writes a tree of folders, but Meson only supports flat
# outputs, so files are moved to OUT. Services are hidden from protobuf-c: SoNet has its own, and protobuf-c cannot handle a method named "Register".
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
