# Everything runs in .venv, which is made on first use and again whenever pyproject.toml changes.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# One thread per test process: two processes fill two cores, and more threads would only get in each other's way.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench clean

help:  ## say what can be made (this list)
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(READY)  ## train a small network on the bundled handwritten digits and say where its report is
	$(BIN)/striate train --data digits
	@echo "Report: $(CURDIR)/runs/latest/report.html"

test: $(READY)  ## run every test and every example in the documentation strings
	$(ONE_THREAD) $(BIN)/python -m pytest -n 2 $(ARGS)

check: $(READY)  ## style, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src/striate $(if $(wildcard benchmarks/*.py),benchmarks)

bench: $(READY)  ## measure: time and memory, side by side with the alternatives
	$(BIN)/python -m benchmarks $(ARGS)

clean:  ## remove .venv, caches and built packages; never a run
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find $(wildcard src tests benchmarks) -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed, and " \
		+ "$(PYTHON) is " + sys.version.split()[0] + "; write: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@
