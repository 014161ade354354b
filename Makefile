# Every target sets up what it needs in .venv/; nothing is installed elsewhere.
PYTHON ?= python3
BIN := .venv/bin
RUNTIME := .venv/.runtime
STAMP := .venv/.installed
COMPILE := $(BIN)/uv pip compile pyproject.toml --group build --no-annotate --no-header --no-emit-index-url \
	--python-version 3.11
LOWEST := .venv-lowest
# A worker takes one file at a time, in the order of tests/conftest.py: what a file sets up is made once.
WORKERS := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: setup run serve test test-web test-fast lint types layers docs wheel benchmarks lock lowest clean library

setup: $(STAMP)

# What a run needs. The lock pins what builds gaddum too, so that nothing is fetched but what has its hash there.
$(RUNTIME): pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# What tests and checks need besides, at the same versions.
$(STAMP): $(RUNTIME) requirements-dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.lock
	touch $@

run:
	@echo "Weighs the bundled ketamine studies: about three minutes on two cores$(if $(wildcard $(RUNTIME)),.,, after setting up\
	.venv/ (1 GB in one to three minutes).)"
	@$(MAKE) --no-print-directory $(RUNTIME)
	$(BIN)/gaddum adjudicate ketamine --out runs/ketamine

# The workbench, in the browser.
serve: $(RUNTIME)
	$(BIN)/gaddum serve

test: setup
	$(BIN)/python -m pytest $(WORKERS)

# The quick loop while working.
test-fast: setup
	$(BIN)/python -m pytest -m "not slow" $(WORKERS)

# The workbench in a browser; what it took is printed.
test-web: setup
	$(BIN)/python -m pytest tests/surface/web -s

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright

layers: setup
	$(BIN)/lint-imports

docs: setup
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

# Wheel and sdist, tried in environments of their own.
wheel: setup
	.ci/wheel

# Predictions beside published values, into the page of the documentation.
benchmarks: $(RUNTIME)
	$(BIN)/gaddum benchmarks --write docs/reference/benchmarks.md

# Names, versions and hashes only: a lock with addresses would tie the project to one registry.
lock: setup
	$(COMPILE) --quiet --generate-hashes --upgrade --extra weigh --extra ledger --extra web --output-file requirements.lock
	$(COMPILE) --quiet --generate-hashes --upgrade --extra test --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock

# The fast suite with the oldest versions that pyproject.toml allows.
lowest: setup
	$(PYTHON) -m venv --clear $(LOWEST)
	$(COMPILE) --extra test --resolution lowest-direct --output-file $(LOWEST)/requirements.txt
	$(LOWEST)/bin/python -m pip install --quiet --requirement $(LOWEST)/requirements.txt
	$(LOWEST)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(LOWEST)/bin/python -m pytest -m "not slow" $(WORKERS)

clean:
	rm -rf .venv $(LOWEST) docs/_build

# Renew the fits of the library.
library: $(RUNTIME)
	for fit in src/gaddum/library/fits/*.yaml; do \
	  name=$$(basename $$fit .yaml); \
	  .venv/bin/gaddum fit "$${name%-*}" --species "$${name##*-}" --out src/gaddum/library || exit 1; \
	done; rm -f src/gaddum/library/fits/*.html
