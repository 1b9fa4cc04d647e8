# The commands people type. CMake with presets (CMakePresets.json) does the work; trees are under build/PRESET.
PREFIX ?= $(HOME)/.local
JOBS ?= $(shell nproc)
# Tests wait more than they compute.
TEST_JOBS ?= $(shell echo $$((3 * $(JOBS))))
# How long `make fuzz` runs each target.
FUZZ_SECONDS ?= 20

.PHONY: all install deb test demo lint format bench bench-full asan tsan fuzz soak clean

all:
	@tools/bootstrap --check build
	@tools/build release $(JOBS)

install: all
	@tools/install "$(abspath $(PREFIX))"

# build/usvc_VERSION_ARCHITECTURE.deb
deb:
	@tools/bootstrap build package
	@tools/build package $(JOBS)
	@cd build/package && cpack -G DEB >cpack.log || { cat cpack.log; exit 1; }
	@mv build/package/*.deb build/ && ls build/*.deb
	@lintian --fail-on error build/*.deb

test:
	@tools/bootstrap build test
	@tools/build dev $(JOBS)
	@ctest --preset dev -j $(TEST_JOBS)

# The tests again with the address and undefined-behaviour sanitizers.
asan:
	@tools/bootstrap build test fuzz
	@tools/build asan $(JOBS)
	@ctest --preset asan -j $$((2 * $(JOBS)))

# The tests but those of faults, under the thread sanitizer.
tsan:
	@tools/bootstrap build test
	@tools/build tsan $(JOBS)
	@ctest --preset tsan -j $(TEST_JOBS)

# Hostile input for every parser, from the same build.
fuzz:
	@tools/bootstrap build test fuzz
	@tools/build asan $(JOBS)
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
	@USVC_BENCH_BIN=build/bench/bin/usvc bench/log_time
	@test ! -x build/bench/bench/micro/micro || build/bench/bench/micro/micro --benchmark_min_time=0.2

bench-full:
	@$(MAKE) bench BENCH="--full $(BENCH)"

clean:
	rm -rf build
