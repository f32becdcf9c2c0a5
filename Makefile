PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
endif
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install run study study-pack study-report test test-page test-lowest check docs docs-tables format tensorboard clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

install: $(STAMP)  ## make .venv, and install al_lightning and its tools into it

$(STAMP): pyproject.toml
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(STAMP)

run: install  ## one active-learning run on the embedded digits (add ARGS="dataset=mnist ...")
	$(BIN)/python -m al_lightning $(ARGS)

study: install  ## run or go on with the study, in the background of all else (PART=b, ARGS="--jobs 2", ARGS=--list)
	$(BIN)/python -m study $(if $(PART),--part $(PART)) $(ARGS)

study-pack: install  ## add the finished runs of the study to study/journals/
	$(BIN)/python -m study --pack $(if $(PART),--part $(PART))

study-report: install  ## docs/study.md from the journals in study/journals/
	$(BIN)/python -m study --report

# One process a core, of one thread each: threads of several processes would wait for each other.
# Plugins of other packages take seconds in every process, and may change what tests do.
test test-page test-lowest: export PYTEST_DISABLE_PLUGIN_AUTOLOAD = 1
PYTEST = pytest -p xdist.plugin --numprocesses auto --dist loadfile --no-loadscope-reorder

test: export OMP_NUM_THREADS = 1
test: install  ## the tests; needs no network
	$(BIN)/python -m $(PYTEST) -m "not browser"

test-page: export OMP_NUM_THREADS = 1
test-page: install  ## the tests of the page in a browser; needs Chromium
	$(BIN)/python -m $(PYTEST) -m browser tests/oracles/page

# By hand, before a release: an environment of its own takes several GB.
test-lowest: export OMP_NUM_THREADS = 1
test-lowest:  ## the tests with the lowest versions that pyproject.toml allows; needs uv
	uv venv --quiet --clear --python 3.11 $(VENV)-lowest
	uv pip install --quiet --python $(VENV)-lowest --resolution lowest-direct --editable ".[test]"
	$(VENV)-lowest/bin/python -m $(PYTEST)

check: install  ## ruff, ruff format and mypy
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

docs: install  ## the documentation site, in build/docs; warnings, dead links and wrong examples are errors
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	$(BIN)/python -m sphinx -W --keep-going -q -d build/doctrees -b html docs build/docs
	$(BIN)/python -m sphinx -W --keep-going -q -d build/doctrees -b doctest docs build/doctest

docs-tables: install  ## make the tables of docs/ from benchmarks/results/
	$(BIN)/python -m benchmarks.tables

format: install  ## put the code into shape
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

tensorboard: install  ## show the runs in outputs/ in the browser
	$(BIN)/python -m tensorboard.main --logdir outputs

clean:  ## remove the environment, caches and builds; outputs/ stays
	rm -rf $(VENV) $(VENV)-lowest build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
