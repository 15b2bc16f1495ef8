PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo dev lint test bench docs

dev: $(BIN)/hostkit

$(BIN)/pip:
	$(PYTHON) -m venv .venv

$(BIN)/hostkit: pyproject.toml requirements.lock | $(BIN)/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	touch $@

demo: dev
	scripts/prepare demo
	$(BIN)/python sandbox/demo/demo.py

test: dev
	scripts/prepare tools
	$(BIN)/python -m compileall -q hostkit
	@# What needs no machine is tested while the machines' images are built. Two cores, then, two tests at a time; a VM
	@# without KVM keeps one of them busy, so the VMs have a run of their own.
	said=0; scripts/prepare test & prepared=$$!; \
	$(BIN)/pytest --ignore tests/e2e || said=1; \
	wait $$prepared || exit 1; \
	$(BIN)/python -m tests.machines.build >/dev/null 2>&1 & \
	$(BIN)/pytest tests/e2e -v -m "not (vm or vagrant)" --numprocesses 2 --dist loadgroup || said=1; \
	$(BIN)/pytest tests/e2e -v -m "vm or vagrant" --numprocesses 2 --dist load --maxschedchunk 1 || said=1; \
	exit $$said

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/ansible-lint --offline -q playbooks

bench: dev
	scripts/prepare bench
	$(BIN)/python bench/run.py

docs: dev
	$(BIN)/python scripts/docs.py
