# make setup | run | test | quick | check | fix | handbook | interop | kill | fuzz | screenshots
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

setup: $(VENV)/.ready

# torch goes first and alone, so that nothing else chooses a build of it (scripts/setup.sh says how).
$(VENV)/.ready: pyproject.toml constraints.txt scripts/setup.sh
	PYTHON=$(PYTHON) VENV=$(VENV) sh scripts/setup.sh
	@touch $@

run: setup
	$(BIN)/rag serve --handbook docs_corpus

# Tests never ask a hub for anything.
test quick: export HF_HUB_OFFLINE = 1

# Two at once, files whole: most of a browser test is waiting. In the order of their names, so that no long file is last.
test: setup check
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

quick: setup
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow and not browser"

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layers.py

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

handbook: setup
	$(BIN)/python scripts/handbook.py

screenshots: setup
	HF_HUB_OFFLINE=1 $(BIN)/python scripts/screenshots.py

interop: setup
	sh scripts/interop.sh

# A thousand kills at every step of the program and at random moments; prints them by step.
kill: setup
	$(BIN)/python -m benchmarks.kill --kills 1000

# Ten thousand spoiled PDFs; every finding becomes a file of tests/data/fuzz, which `make test` adds from then on.
fuzz: setup
	$(BIN)/python -m benchmarks.fuzz --count 10000

.PHONY: setup run test quick check fix handbook interop screenshots kill fuzz
