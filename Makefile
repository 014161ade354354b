# Every target sets up what it needs in .venv/; nothing is installed elsewhere.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
LOWEST := .venv-lowest

.PHONY: setup run test test-fast test-slow lint types layers docs benchmarks lock lowest clean

setup: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

run: setup
	$(BIN)/gaddum adjudicate ketamine --out runs/ketamine

test: test-fast test-slow

test-fast: setup
	$(BIN)/python -m pytest -m "not slow" -n 2 --dist loadfile

test-slow: test-fast
	$(BIN)/python -m pytest -m slow -n 2

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/pyright

layers: setup
	$(BIN)/lint-imports

docs: setup
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

# Predictions beside published values, into the page of the documentation.
benchmarks: setup
	$(BIN)/gaddum benchmarks --write docs/benchmarks.md

# Names and versions only: a lock with addresses would tie the project to one registry.
lock: setup
	$(BIN)/uv pip compile pyproject.toml --extra test --extra dev --no-annotate --no-header \
		--no-emit-index-url --python-version 3.11 --upgrade -o requirements.lock

# The fast suite with the oldest versions that pyproject.toml allows.
lowest: setup
	$(PYTHON) -m venv --clear $(LOWEST)
	$(BIN)/uv pip compile pyproject.toml --extra test --no-annotate --no-header --no-emit-index-url \
		--python-version 3.11 --resolution lowest-direct -o $(LOWEST)/requirements.txt
	$(LOWEST)/bin/python -m pip install --quiet --requirement $(LOWEST)/requirements.txt
	$(LOWEST)/bin/python -m pip install --quiet --no-deps --editable .
	$(LOWEST)/bin/python -m pytest -m "not slow" -n 2 --dist loadfile

clean:
	rm -rf .venv $(LOWEST) docs/_build
