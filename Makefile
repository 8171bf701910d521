# make setup: the environment;  make run: the shipped study;  make test: the tests;  make help: all targets
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= auto
PIP := -m pip --quiet --disable-pip-version-check
PYTEST = -m pytest --dist loadfile -n $(JOBS) $(ARGS)
NAMES ?=
ARGS ?=

.PHONY: help setup dev run test test-quick test-bounds lint coverage package verify bench test-lowest test-newest hooks clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "senexo needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-installed: requirements/run.lock pyproject.toml | $(BIN)/python
	$(BIN)/python $(PIP) install --require-hashes -r requirements/run.lock
	$(BIN)/python $(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev-installed: requirements/dev.lock $(VENV)/.run-installed
	$(BIN)/python $(PIP) install --require-hashes -r requirements/dev.lock
	touch $@

setup: $(VENV)/.run-installed  ## the environment to run senexo: .venv/bin/senexo

dev: $(VENV)/.dev-installed  ## the environment to change it

run: setup  ## the shipped study; prints where its report is
	$(BIN)/senexo run mir34c-exvivo

test: dev  ## all tests, on all cores (JOBS=n for n processes)
	$(BIN)/python $(PYTEST)

test-quick: dev  ## tests that are not marked slow
	$(BIN)/python $(PYTEST) -m "not slow"

test-bounds: dev  ## quick tests of the engine, its kernels compiled so that every index is checked
	NUMBA_BOUNDSCHECK=1 SENEXO_CACHE=$(CURDIR)/build/bounds $(BIN)/python $(PYTEST) -m "not slow" tests/engine

lint: dev  ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

coverage: dev  ## statements and branches that the tests execute, kept in docs/verification.md
	$(BIN)/python $(PYTEST) --cov --cov-report=json:build/coverage.json --cov-report=
	$(BIN)/python -m verify._coverage build/coverage.json

package: dev  ## sdist and wheel; the wheel in an empty environment; one study run from it
	rm -rf build/dist build/empty build/lib build/bdist.* && mkdir -p build
	$(BIN)/python -m build --no-isolation --outdir build/dist . >build/package.log || { tail -30 build/package.log; exit 1; }
	$(BIN)/twine check --strict build/dist/*
	$(BIN)/python .ci/check_wheel.py build/dist
	$(PYTHON) -m venv build/empty
	build/empty/bin/python $(PIP) install --require-hashes -r requirements/run.lock
	build/empty/bin/python $(PIP) install --no-deps build/dist/*.whl
	build/empty/bin/python -m pip check
	cd build/empty && sh ../../.ci/use_wheel.sh

verify: dev  ## long checks against theory and other programs (NAMES="a b" for some); writes docs/verification.md
	$(BIN)/python -m verify $(NAMES)

bench: dev  ## speed beside other programs
	$(BIN)/python -m bench

# Lowest: the versions requirements/run.in states as its lower bounds. Newest: what the index has today.
test-lowest:  ## the tests with the lowest stated versions of all dependencies
	$(PYTHON) -m venv --clear build/lowest
	build/lowest/bin/python $(PIP) install --require-hashes -r requirements/lowest.lock
	build/lowest/bin/python $(PIP) install --no-deps --no-build-isolation --editable .
	build/lowest/bin/python $(PYTEST)

test-newest:  ## the tests with the newest versions of all dependencies
	$(PYTHON) -m venv --clear build/newest
	build/newest/bin/python $(PIP) install --upgrade -r requirements/lowest.in
	build/newest/bin/python -m pip freeze
	build/newest/bin/python $(PIP) install --no-deps --no-build-isolation --editable .
	build/newest/bin/python $(PYTEST)

hooks: dev  ## the checks of `make lint` before every commit
	$(BIN)/pre-commit install

clean:
	rm -rf $(VENV) results build
