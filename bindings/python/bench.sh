#!/usr/bin/env bash
# Compares this binding with torii-backend 0.0.13, which verifies with PyJWT:
#
#     bench.sh LIBDIR EMULATOR
#
# Virtual environments are kept below $BUILD (/tmp). LIBDIR should have a release build.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export TORII_LIBRARY="$1/libtorii.so.0" PYTHONDONTWRITEBYTECODE=1
emulator=$2

build=${BUILD:-/tmp}/torii-python
for venv in bench rival; do
    [[ -e $build/$venv ]] || "${PYTHON:-python3}" -m venv "$build/$venv"
done
pip=(install --quiet --disable-pip-version-check)
"$build/bench/bin/pip" "${pip[@]}" --force-reinstall "$here"
"$build/rival/bin/pip" "${pip[@]}" torii-backend==0.0.13

"$build/bench/bin/python" - "$here/bench.py" "$build" "$emulator" <<'END'
import json
import subprocess
import sys
import urllib.request

bench, build, emulator = sys.argv[1:]
command = [emulator, "--port", "0", "--until-stdin-closes"]
with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as torii:
    about = json.loads(torii.stdout.readline())
    url = about["control"] + "/issuers/acme/tokens"
    tokens = f"{build}/tokens"
    with open(tokens, "w") as file:
        for wish in [{}] * 501 + [{"signer": "forged"}]:
            with urllib.request.urlopen(url, json.dumps(wish).encode()) as answer:
                print(json.load(answer)["token"], file=file)

    def measure(venv):
        arguments = [f"{build}/{venv}/bin/python", bench, about["issuer"], tokens]
        return json.loads(subprocess.run(arguments, stdout=subprocess.PIPE, check=True).stdout)

    ours, rival = measure("bench"), measure("rival")

print(f"{'microseconds':22}{'libtorii':>10}{'PyJWT':>10}{'ratio':>8}")
for name, took in ours["results"].items():
    other = rival["results"][name]
    print(f"{name:22}{took:10.2f}{other:10.2f}{other / took:7.1f}x")
print(f"torii-backend {ours['version']} and {rival['version']}, Python {sys.version.split()[0]}")
END
