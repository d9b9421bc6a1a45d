# make demo   builds the library and shows its main job against a local torii
# make test   passes every test
# make bench, make soak, make fuzz   for what takes longer
#
# Nothing is installed but Debian packages that are missing, and those only as root.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

CARGO ?= cargo
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
BUILD := $(abspath .build)
CBINDGEN_VERSION := 0.29.4
CBINDGEN := $(BUILD)/cbindgen-$(CBINDGEN_VERSION)/bin/cbindgen
EMULATOR := $(TARGET)/debug/torii-emulator
RELEASE := $(TARGET)/release
RUST_SOURCES := $(shell find src build.rs Cargo.toml Cargo.lock)

.PHONY: all demo test bench soak fuzz header clean
all: $(RELEASE)/libtorii.so

$(RELEASE)/libtorii.so: $(RUST_SOURCES) | tools
	$(CARGO) build --release --locked -p torii
	ln -sf libtorii.so $(RELEASE)/libtorii.so.0

# The same library with what its own tests need, and the local torii.
.PHONY: debug
debug: | tools
	$(CARGO) build --locked -p torii --features test-hooks
	$(CARGO) build --locked -p torii-emulator
	ln -sf libtorii.so $(TARGET)/debug/libtorii.so.0

.PHONY: tools
tools:
	@scripts/require cargo cc:gcc make curl

demo: $(RELEASE)/libtorii.so
	$(CARGO) build --locked -p torii-emulator
	scripts/demo $(RELEASE) include $(EMULATOR)

# Writes the header from the source.
header: $(CBINDGEN)
	$(CBINDGEN) --quiet --config cbindgen.toml --crate torii --output include/torii.h

$(CBINDGEN):
	$(CARGO) install --quiet --locked --version $(CBINDGEN_VERSION) --root $(@D)/.. cbindgen

# ---- tests -------------------------------------------------------------------------------------

.PHONY: test-tools test-lint test-rust test-header test-symbols test-c test-threads test-counts test-parity test-demo
test: test-tools test-lint test-rust test-header test-symbols test-c test-threads test-counts test-parity test-demo
	@echo "every test passed"

test-tools: tools
	@scripts/require g++ valgrind nm:binutils

test-lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --features test-hooks -- -D warnings
	$(CARGO) clippy --locked -p torii --no-default-features -- -D warnings

test-rust:
	$(CARGO) test --locked --workspace --features test-hooks
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps -p torii

test-header: $(CBINDGEN)
	$(CBINDGEN) --quiet --verify --config cbindgen.toml --crate torii --output include/torii.h \
	  || { echo "include/torii.h is not what the source says: run 'make header'"; exit 1; }

test-symbols: $(RELEASE)/libtorii.so
	scripts/symbols $(RELEASE)/libtorii.so include/torii.h abi/symbols.txt

test-c: $(RELEASE)/libtorii.so debug
	for mode in shared static asan valgrind; do \
	  tests/c/run.sh $$mode $(RELEASE) include $(BUILD)/c-$$mode $(EMULATOR) $(TARGET)/debug; \
	done

# The official Python client and this one, side by side.
PARITY := $(BUILD)/parity-0.0.13/bin/python

$(PARITY):
	@scripts/require python3
	python3 -c 'import ensurepip' || scripts/require ensurepip:python3-venv
	python3 -m venv $(dir $(@D))
	$@ -m pip install --quiet --disable-pip-version-check torii-backend==0.0.13

test-parity: debug $(PARITY)
	$(PARITY) tests/parity/parity.py $(EMULATOR) $(TARGET)/debug/libtorii.so

test-demo: demo

# ---- what takes longer -------------------------------------------------------------------------

bench: $(PARITY)
	$(CARGO) bench --locked --bench verify
	TORII_BENCH_PYTHON=$(PARITY) $(CARGO) bench --locked --bench api

soak:
	TORII_LOAD_CALLS=5000 $(CARGO) test --locked -p torii --features test-hooks --test load
