#!/usr/bin/env bash
# Makes the module as go gets it: package.sh OUTDIR
#
# OUTDIR becomes a folder for GOPROXY=file://OUTDIR. What is in the module is decided by go, which is
# shown these files as a release of the repository.
set -euo pipefail

mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "$0")"
root=$(realpath ../..)
module=$(sed -n 's/^module //p' go.mod)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

version=v$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")

mkdir -p "$work/repository/bindings"
cp -r . "$work/repository/bindings/go"
cp "$root/LICENSE" "$work/repository"
cat >"$work/gitconfig" <<EOF
[user]
name = libtorii
email = libtorii@localhost
[url "file://$work/repository"]
insteadOf = https://${module%/bindings/go}
EOF
export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1 GIT_ALLOW_PROTOCOL=file
cd "$work/repository"
git init --quiet
git add --all
git commit --quiet --message "$version"
git tag "bindings/go/$version"

cd "$work"
GOPROXY=direct GOSUMDB=off GOFLAGS=-modcacherw GOMODCACHE=$work/cache go mod download "$module@$version"
mkdir -p "$out/$module"
cp -r "$work/cache/cache/download/$module/@v" "$out/$module"
