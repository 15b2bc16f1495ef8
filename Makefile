PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo dev lint test bench docs

dev: $(BIN)/hostkit

$(BIN)/hostkit: pyproject.toml requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	touch $@

demo: dev
	scripts/prepare demo
	$(BIN)/python sandbox/demo/demo.py

test: dev
	scripts/prepare test
	$(BIN)/pytest

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline -q playbooks

bench: dev
	scripts/prepare demo
	$(BIN)/python bench/run.py

docs: dev
	$(BIN)/python scripts/docs.py
