# The commands people type. CMake with presets (CMakePresets.json) does the work; trees are under build/PRESET.
PREFIX ?= $(HOME)/.local
JOBS ?= $(shell nproc)

.PHONY: all install test demo lint format bench asan soak clean

all:
	@tools/bootstrap --check build
	@tools/build release $(JOBS)

install: all
	@cmake --install build/release --prefix "$(abspath $(PREFIX))"

test:
	@tools/bootstrap build test
	@tools/build dev $(JOBS)
	@ctest --preset dev -j $(JOBS)

# The tests again with the address and undefined-behaviour sanitizers.
asan:
	@tools/bootstrap build test
	@tools/build asan $(JOBS)
	@ctest --preset asan -j $(JOBS)

# Random kills and commands for MINUTES, then the account; SEED=N repeats one.
MINUTES ?= 10
soak:
	@tools/bootstrap build test
	@tools/build soak $(JOBS)
	@USVC_TEST_BIN="$(CURDIR)/build/soak/stage/bin/usvc" build/soak/tests/soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

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

bench: all
	@if [ -x bench/run ]; then bench/run; else echo "bench: there is no bench/run yet"; fi

clean:
	rm -rf build
