#!/usr/bin/env bash
# Compiles and runs every program here against a library, and the examples too.
#
# usage: run.sh MODE LIBDIR INCLUDEDIR BUILDDIR EMULATOR [HOOKSDIR [NAME...]]
#
#   MODE        shared    linked with libtorii.so
#               static    linked with libtorii.a
#               asan      as shared, the programs with AddressSanitizer and UBSan, leaks included
#               valgrind  as shared, under memcheck; long programs do less
#               asan-static, valgrind-static    the same, linked with libtorii.a
#   LIBDIR      where the library is
#   INCLUDEDIR  where torii.h is
#   BUILDDIR    for everything that is built here
#   EMULATOR    the program torii-emulator
#   HOOKSDIR    where a library with the feature test-hooks is, for panic.c and aging.c; otherwise
#               LIBDIR's is used if it has the feature, and else they are left out
#   NAME        runs these programs only
#
# A further NAME.c is picked up by itself; what it is called with is said in `arguments` below.
set -euo pipefail

if [[ $# -lt 5 || ! $1 =~ ^(shared|static|(asan|valgrind)(-static)?)$ ]]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
mode=$1
checker=${mode%-static}
libdir=$(realpath "$2")
includedir=$(realpath "$3")
mkdir -p "$4/$mode"
build=$(realpath "$4/$mode")
emulator=$(realpath "$5")
hooksdir=$(realpath "${6:-$2}")
only=("${@:7}")

here=$(realpath "$(dirname "$0")")
root=$(realpath "$here/../..")
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml")

# How it is compiled, linked and run.

strict=(-g -O1 -Wall -Wextra -Wpedantic -Werror)
strict+=("-I$includedir" "-DTORII_EXPECT_VERSION=\"$version\"")
file=libtorii.so
[[ $mode != *static ]] || file=libtorii.a

link_with() { # DIR NAME: sets `link` for the library in DIR; what it takes goes into BUILDDIR/NAME
    mkdir -p "$build/$2"
    if [[ $file == libtorii.a ]]; then
        # Of a debug build it is so large that linking takes long.
        strip -S "$1/$file" -o "$build/$2/$file"
        link=("$build/$2/$file" -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc)
    else
        # The programs ask for the library by its soname, which need not be a file in DIR.
        local soname
        soname=$(readelf -d "$1/$file" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
        ln -sf "$1/$file" "$build/$2/$soname"
        link=("-L$1" "-Wl,-rpath,$build/$2" -ltorii -lpthread -ldl)
    fi
}

link_with "$hooksdir" hooks
link_hooks=("${link[@]}")
link_with "$libdir" lib

# So that what hangs is said to; on a busy machine valgrind takes minutes.
run=(timeout -k 5 "${TORII_TEST_TIMEOUT:-1800}")
case $checker in
asan)
    strict+=(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    export ASAN_OPTIONS=detect_leaks=1:exitcode=99 UBSAN_OPTIONS=print_stacktrace=1
    ;;
valgrind)
    run+=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
        --show-leak-kinds=definite --fair-sched=try)
    export TORII_TEST_REDUCED=1
    ;;
esac
export RUST_BACKTRACE=0

compile() { # NAME: tests/c/NAME.c or examples/c/NAME.c
    local source=$here/$1.c linker=${CC:-cc} objects=("$build/$1.o") libraries=("${link[@]}")
    [[ -e $source ]] || source=$root/examples/c/$1.c
    "${CC:-cc}" -std=c11 "${strict[@]}" -c "$source" -o "$build/$1.o"
    case $1 in
    aging | panic) libraries=("${link_hooks[@]}") ;;
    dlopen) libraries=(-lpthread -ldl) ;;
    header_c)
        linker=${CXX:-c++}
        objects+=("$build/header_cpp.o")
        "$linker" -std=c++11 "${strict[@]}" -c "$here/header_cpp.cpp" -o "$build/header_cpp.o"
        ;;
    esac
    "$linker" "${strict[@]}" "${objects[@]}" -o "$build/$1" "${libraries[@]}"
}

# The arguments of each program.

arguments() { # NAME: sets `arguments`
    arguments=("$control")
    case $1 in
    behaviour) arguments=("$root/tests/behaviour/cases.tsv") ;;
    client | users) arguments=("$url" "$secret_key") ;;
    dlopen) arguments+=("$libdir/libtorii.so") ;;
    header_c) arguments=() ;;
    huge) [[ $checker != valgrind ]] || arguments+=(uncounted) ;;
    quickstart) arguments=("$issuer" "$(mint acme '{}')") ;;
    verify)
        arguments=("$issuer" "good=$(mint acme '{"claims":{"locale":"de-AT"}}')"
            "expired=$(mint acme '{"now_offset":-5000}')"
            "forged=$(mint acme '{"signer":"forged"}')"
            "foreign=$(mint globex '{}')")
        ;;
    webhook)
        arguments=(msg_1 "$(date +%s)")
        arguments+=("$(sign_webhook "${arguments[@]}")")
        ;;
    esac
}

left_out() { # NAME: says why it cannot be run, if so
    case $1 in
    aging | panic)
        grep -q torii_test_panic "$hooksdir/$file" || echo "a library with test-hooks is needed"
        ;;
    dlopen) [[ $file == libtorii.so ]] || echo "there is nothing to load" ;;
    esac
}

# The emulator: it ends with this script.

start_emulator() {
    local pipe=$build/emulator.in out=$build/emulator.out
    rm -f "$pipe" "$out"
    mkfifo "$pipe"
    "$emulator" --port 0 --until-stdin-closes <"$pipe" >"$out" &
    emulator_pid=$!
    exec 8>"$pipe"
    rm "$pipe"
    until [[ -s $out ]]; do
        kill -0 "$emulator_pid" || exit 1
        sleep 0.1
    done
    addresses=$(<"$out")
    url=$(address url) control=$(address control) issuer=$(address issuer)
    secret_key=$(address secret_key)
    if [[ -z $url || -z $control || -z $issuer || -z $secret_key ]]; then
        echo "the emulator does not tell its addresses: $addresses" >&2
        exit 1
    fi
    curl -sSf -X POST "$control/issuers" -d '{"name":"globex"}' >"$build/globex"
}

stop_emulator() {
    exec 8>&-
    [[ -z ${emulator_pid-} ]] || wait "$emulator_pid" || true
}

address() { # MEMBER of the line the emulator prints
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$addresses"
}

mint() { # ISSUER JSON: a token
    curl -sSf -X POST "$control/issuers/$1/tokens" -d "$2" | sed 's/.*"token":"\([^"]*\)".*/\1/'
}

export WEBHOOK_SECRET=whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY
sign_webhook() { # ID TIMESTAMP: a signature over these and an empty body
    python3 -c 'import base64, hmac, os, sys
key = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
print("v1," + base64.b64encode(hmac.digest(key, ".".join(sys.argv[1:] + [""]).encode(), "sha256")).decode())' "$@"
}

# Running.

run_program() { # NAME: runs it, and writes its result to NAME.result
    local log=$build/$1.log arguments begin=$SECONDS result=ok
    if [[ ! -e $build/$1 ]]; then
        echo "FAILED" >"$build/$1.result"
        printf '%-10s FAILED to compile\n' "$1"
        return
    fi
    arguments "$1"
    "${run[@]}" "$build/$1" "${arguments[@]}" </dev/null >"$log" 2>&1 8>&- || result="FAILED ($?)"
    # The exit code does not cover valgrind's findings in a child.
    if [[ $checker == valgrind ]] && grep -q '^==[0-9]*== ' "$log"; then
        result="FAILED (valgrind)"
    fi
    echo "$result" >"$build/$1.result"
    printf '%-10s %s, %d s\n' "$1" "$result" $((SECONDS - begin))
    [[ $result == ok ]] || sed "s/^/    /" "$log"
}

must_be_caught() { # HOW: whether broken.c is caught at this
    if "${run[@]}" "$build/broken" "$1" >"$build/broken.log" 2>&1 8>&-; then
        echo "broken.c gets away with: $1; is $mode really on?" >&2
        exit 1
    fi
    grep -qE '(Address|Leak)Sanitizer|^==[0-9]+== ' "$build/broken.log"
}

quickstart_is_that_of_the_header() {
    diff <(sed -n '/^ \*     #include <stdio.h>$/,/^ \*     }$/s/^ \* \{0,5\}//p' \
        "$includedir/torii.h") "$root/examples/c/quickstart.c"
}

programs=()
for source in "$here"/*.c "$root"/examples/c/*.c; do
    name=$(basename "$source" .c)
    reason=$(left_out "$name")
    if [[ -n $reason ]]; then
        echo "$name is left out: $reason"
    elif [[ $name != broken && (${#only[@]} -eq 0 || " ${only[*]} " == *" $name "*) ]]; then
        programs+=("$name")
    fi
done

compiling=()
for name in "${programs[@]}" broken; do
    rm -f "$build/$name" "$build/$name.result"
    compile "$name" &
    compiling+=($!)
    # Two at a time. Whether it was done is seen when the program is run.
    if [[ ${#compiling[@]} -eq 2 ]]; then
        wait "${compiling[0]}" || true
        compiling=("${compiling[1]}")
    fi
done
wait "${compiling[@]}" || true

quickstart_is_that_of_the_header
if [[ $checker == asan || $checker == valgrind ]]; then
    must_be_caught leak
    must_be_caught late
    must_be_caught beyond
fi

trap stop_emulator EXIT
start_emulator
# verifier.c mostly waits, so others run beside it; fork.c clears the emulator's faults, so it runs
# alone.
waiting=
[[ " ${programs[*]} " != *" verifier "* ]] || { run_program verifier 8>&- & waiting=$!; }
for name in "${programs[@]}"; do
    [[ $name == verifier || $name == fork ]] || run_program "$name"
done
[[ -z $waiting ]] || wait "$waiting"
[[ " ${programs[*]} " != *" fork "* ]] || run_program fork

passed=0
for name in "${programs[@]}"; do
    [[ $(<"$build/$name.result") != ok ]] || passed=$((passed + 1))
done
failed=$((${#programs[@]} - passed))
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
