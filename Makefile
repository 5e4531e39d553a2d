PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKETS ?= 100000000
SEED ?= 1
WORKERS ?= 2

.PHONY: help setup demo test fuzz check bench e2e bless docs clean
help: ## this list
	@awk -F':.*## ' '/^[a-z0-9]+:.*## /{printf "%-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## a virtual environment with everything in it

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup ## the sample through the whole pipeline, and the app on it
	$(BIN)/tailrace demo

test: setup ## every test; those of whole commands one after the other, as they watch the clock
	$(BIN)/pytest --numprocesses $(WORKERS) --ignore tests/e2e
	$(BIN)/pytest tests/e2e

e2e: setup ## only the tests that run whole commands and the browser
	$(BIN)/pytest tests/e2e

fuzz: setup ## PACKETS changed packets through the collector (100 million), from SEED
	$(BIN)/python -m tests.fuzz --packets $(PACKETS) --seed $(SEED)

check: setup ## format, lint, types, import rule, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m contract.document --check docs/columns.md
	$(BIN)/python -m cli.document --check docs/settings.md

docs: setup ## write the generated pages
	$(BIN)/python -m contract.document docs/columns.md
	$(BIN)/python -m cli.document docs/settings.md

bench: setup ## file to Parquet, in packets a second, beside its peers
	$(BIN)/python -m benchmarks.collector --write --peers all

bless: setup ## accept the present output of the golden cases
	$(BIN)/pytest tests/golden --bless

clean:
	rm -rf $(VENV) build dist
