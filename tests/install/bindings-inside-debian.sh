#!/usr/bin/env bash
# bindings-inside-debian.sh TRIPLE: run by debian-bindings.sh in a Debian that has compilers and interpreters. /here has the
# sources of this project and its files for users, and nothing of it is installed.
set -euo pipefail

triple=$1
cd /here/libtorii
export BUILD=/tmp
failed() { echo "FAILED: $*" >&2; exit 1; }
# run WHAT COMMAND...: says the last line of the command, and how long it took.
run() {
  local begin=$SECONDS
  "${@:2}" >/tmp/log 2>&1 || { cat /tmp/log >&2; failed "$1"; }
  grep -E '(^|: )Ran [0-9]+ tests?|^[0-9]+ (runs|passed)|^OK \(' /tmp/log || tail -n 1 /tmp/log
  echo "$1: passed in $((SECONDS - begin)) s"
}

# ---- with one file each

(cd /here/archives && sha256sum ./*.tar.gz >SHA256SUMS)
tar -xf /here/archives/*.tar.gz -C /tmp
emulator=$(echo /tmp/libtorii-*/bin/torii-emulator)
run "the archive for $triple" tests/dist.sh /here/archives "$emulator" "$triple"

gem install --local --no-document --silent /here/*.gem
gem=$(ruby -e 'print Gem::Specification.find_by_name("torii").gem_dir')
# The suite looks in lib; the programs that it starts as well.
rm -r bindings/ruby/lib
ln -s "$gem/lib" bindings/ruby/lib
run "Ruby $(ruby -e 'print RUBY_VERSION') and ${gem##*/}" bindings/ruby/test.sh "$gem/lib/torii" include "$emulator"

python3 -m venv --system-site-packages /tmp/venv
/tmp/venv/bin/pip install --quiet --no-index /here/*.whl
library=$(env -C / /tmp/venv/bin/python -c 'import torii_backend; print(torii_backend.library_path)')
[[ $library == /tmp/venv/*/torii_backend/libtorii.so.0 ]] || failed "the wheel loads $library"
rm -r bindings/python/src
# The test that it leaves out needs a package without a library.
run "$(python3 --version) and the wheel" env -C bindings/python TORII_LIBRARY="$library" TORII_HEADER=/here/libtorii/include/torii.h \
  TORII_EMULATOR="$emulator" PYTHONDONTWRITEBYTECODE=1 /tmp/venv/bin/python -m pytest --quiet \
  --deselect tests/test_load.py::test_a_missing_library_names_the_places_and_the_remedy

# ---- with the packages of Debian

dpkg --install /here/debs/*.deb >/tmp/log || { cat /tmp/log >&2; failed "the packages"; }
installed=("/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)" /usr/include /usr/bin/torii-emulator)
run "PHP $(php -r 'echo PHP_VERSION;') and libtorii0" bindings/php/test.sh "${installed[@]}"
run "$(nginx -v 2>&1 | sed 's/.*: //') and libtorii0" bindings/nginx/test.sh "${installed[@]}"
