#!/usr/bin/env bash
# reproducible.sh ARCHIVES TRIPLE: builds TRIPLE in another folder, with another home of cargo and its own zig, and
# compares the archive with that in ARCHIVES. Names the files that differ and keeps both trees in .build/reproducible.
set -euo pipefail

archives=$(realpath "$1") triple=$2
cd "$(dirname "$0")/.."
kept=$PWD/.build/reproducible
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
name=libtorii-$version-$triple
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# same ARCHIVE ARCHIVE: prints what differs, and keeps the files.
same() {
  local file
  if cmp -s "$1" "$2"; then return; fi
  rm -rf "$kept"
  mkdir -p "$kept/first" "$kept/second"
  tar -xzf "$1" -C "$kept/first"
  tar -xzf "$2" -C "$kept/second"
  echo "FAILED: $name.tar.gz differs in another folder:"
  (cd "$kept" && diff -rq --no-dereference first second) ||
    return 1
  echo "the files are the same: compare names, modes and dates"
  diff <(tar -tvzf "$1") <(tar -tvzf "$2")
  return 1
}

# The comparison sees one other byte.
mkdir "$work/changed"
tar -xzf "$archives/$name.tar.gz" -C "$work/changed"
printf x >>"$work/changed/$name/lib/pkgconfig/torii.pc"
tar --sort=name --format=gnu --owner=0 --group=0 --numeric-owner -C "$work/changed" -czf "$work/changed.tar.gz" "$name"
if same "$archives/$name.tar.gz" "$work/changed.tar.gz" >"$work/said"; then echo "FAILED: a changed archive is the same" >&2; exit 1; fi
grep -q 'torii\.pc differ$' "$work/said" || { echo "FAILED: of a changed torii.pc: $(<"$work/said")" >&2; exit 1; }
rm -r "$kept" "$work/changed"

# The commit may be another one than that of the archive.
SOURCE_DATE_EPOCH=$(python3 -c 'import sys, tarfile; print(next(iter(tarfile.open(sys.argv[1]))).mtime)' "$archives/$name.tar.gz")
export SOURCE_DATE_EPOCH
copy=$work/in/another/folder
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | tar --null -T - -cf - | tar -xf - -C "$copy"
# Crates that are downloaded need not be again.
home=${CARGO_HOME:-$HOME/.cargo}
mkdir -p "$work/cargo/registry"
for file in registry/cache registry/index config.toml; do
  [ ! -e "$home/$file" ] || cp -r "$home/$file" "$work/cargo/$file"
done
unset CARGO_TARGET_DIR MINISIGN_KEY
CARGO_HOME=$work/cargo "$copy/scripts/dist" "$work/archives" "$triple"
same "$archives/$name.tar.gz" "$work/archives/$name.tar.gz" >&2
echo "$name.tar.gz: the same bytes in another folder"
