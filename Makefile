# The two commands that a newcomer needs: make demo, make test. Everything else is CMake (see CMakePresets.json).

BUILD := build
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python
PREFIX ?= /usr/local
export ADG_SHARED ?= $(abspath ../shared)

.PHONY: demo test test-arm bench install dist clean release debug asan arm python wheel format packages

release debug asan: $(BUILD)/ready
	@cmake --preset $@ --log-level=WARNING
	@cmake --build --preset $@

demo: release
	@$(PYTHON) demo/run.py

test: release asan python
	tests/run

# The same for 64-bit ARM, where there are a cross-compiler and an emulator: see docs/building.md.
test-arm: release arm
	tests/arm

arm: release $(BUILD)/arm-ready
	@cmake --preset arm --log-level=WARNING
	@cmake --build --preset arm

# The Python package as a wheel in build/wheel, installed where the tests run; with the open metadata that the release has built.
python: release
	@rm -rf $(BUILD)/wheel
	@$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w $(BUILD)/wheel \
	    -C cmake.define.ADG_OPEN_METADATA=$(abspath $(BUILD)/release/open) .
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(BUILD)/wheel/adg-*.whl

# The same for every Linux from glibc 2.28 on, in build/dist.
wheel: release
	third_party/wheel

bench: release
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
	@$(PYTHON) bench/run.py $(BENCH)

install: release
	cmake --install $(BUILD)/release --prefix $(PREFIX)

dist: release
	third_party/dist

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD)

# What is missing is installed once: Debian packages, a private Python environment, pinned third-party parts.
packages:
	@third_party/packages

$(BUILD)/ready: third_party/packages third_party/fetch tests/requirements.txt
	@third_party/packages
	@mkdir -p $(BUILD)
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@$(PYTHON) third_party/fetch
	@touch $@

$(BUILD)/arm-ready: third_party/arm third_party/packages third_party/fetch
	@third_party/arm
	@touch $@
