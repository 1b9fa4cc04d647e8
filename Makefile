# The commands people type. CMake with presets (CMakePresets.json) does the work; trees are under build/PRESET.
PREFIX ?= $(HOME)/.local
JOBS ?= $(shell nproc)
# Tests wait more than they compute.
TEST_JOBS ?= $(shell echo $$((3 * $(JOBS))))
# How long `make fuzz` runs each target.
FUZZ_SECONDS ?= 20

.PHONY: all install test demo lint format bench asan tsan fuzz soak clean bench-full

all:
	@tools/bootstrap --check build
	@tools/build release $(JOBS)

install: all
	@cmake --install build/release --prefix "$(abspath $(PREFIX))"

test:
	@tools/bootstrap build test
	@tools/build dev $(JOBS)
	@ctest --preset dev -j $(TEST_JOBS)

# The tests again with the address and undefined-behaviour sanitizers.
asan:
	@tools/bootstrap build test
	@tools/build asan $(JOBS)
	@ctest --preset asan -j $$((2 * $(JOBS)))

# What runs in several threads, under the thread sanitizer.
tsan:
	@tools/bootstrap build test
	@tools/build tsan $(JOBS)
	@ctest --preset tsan -j $(TEST_JOBS)

# Hostile input for every parser, under the same sanitizers.
fuzz:
	@tools/bootstrap build fuzz
	@tools/build fuzz $(JOBS)
	@tools/fuzz --seconds $(FUZZ_SECONDS)

# Random kills and commands for MINUTES, then the account; SEED=N repeats one.
MINUTES ?= 10
SOAK_PRESET ?= soak
soak:
	@tools/bootstrap build test
	@tools/build $(SOAK_PRESET) $(JOBS)
	@USVC_TEST_BIN="$(CURDIR)/build/$(SOAK_PRESET)/stage/bin/usvc" build/$(SOAK_PRESET)/tests/soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

demo:
	@tools/bootstrap build test
	@tools/build release $(JOBS)
	@tools/demo

lint:
	@tools/bootstrap build test lint
	@tools/lint --jobs $(JOBS)

format:
	@tools/bootstrap lint
	@tools/format

# Figures beside a floor and, where bench/setup has installed them, peers: a few minutes, or all of it.
bench:
	@tools/bootstrap --check build
	@tools/build bench $(JOBS)
	@bench/run $(BENCH)

bench-full:
	@$(MAKE) bench BENCH="--full $(BENCH)"

clean:
	rm -rf build
