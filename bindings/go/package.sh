#!/usr/bin/env bash
# Makes the module as go gets it: package.sh OUTDIR
#
# OUTDIR becomes a folder for GOPROXY=file://OUTDIR, or for any web server.
set -euo pipefail

mkdir -p "$1"
out=$(realpath "$1")
cd "$(dirname "$0")"
root=$(realpath ../..)
module=$(sed -n 's/^module //p' go.mod)
version=v$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")

python3 - "$out/$module/@v" "$module@$version" "$root/LICENSE" <<'EOF'
import json, os, sys, zipfile
from pathlib import Path

folder, name, license = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
version = name.rpartition("@")[2]
files = {"LICENSE": license}
for path, folders, names in os.walk("."):
    # A folder with a go.mod is another module.
    folders[:] = [each for each in folders if not Path(path, each, "go.mod").exists()]
    for each in names:
        file = Path(path, each)
        files[file.as_posix()] = file

folder.mkdir(parents=True, exist_ok=True)
with zipfile.ZipFile(folder / f"{version}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for each in sorted(files):
        # Without the time of the file, so that the same files make the same archive.
        archive.writestr(zipfile.ZipInfo(f"{name}/{each}"), Path(files[each]).read_bytes(), zipfile.ZIP_DEFLATED)
(folder / f"{version}.mod").write_bytes(Path("go.mod").read_bytes())
(folder / f"{version}.info").write_text(json.dumps({"Version": version}))
(folder / "list").write_text(f"{version}\n")
EOF

# go checks the archive.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
GOPROXY=file://$out GONOSUMDB=* GOFLAGS=-modcacherw GOMODCACHE=$work/cache go mod download "$module@$version"
