# Two commands for everyone: `make demo` shows it working, `make test` proves it. Both set up what they need.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
DATA ?= $(NIGHTSHIFT_DATA)

.PHONY: help setup demo test soak lint bench services clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.done ## make .venv with Nightshift and all it needs

$(VENV)/.done: requirements.txt requirements-dev.txt constraints.txt setup.cfg
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Nightshift needs Python 3.11; name it: make setup PYTHON=/path/to/python3.11"; exit 1; }
	bash docker/system-packages.sh runtime
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -c constraints.txt -r requirements.txt -r requirements-dev.txt
	# PaddleX brings an OpenCV that wants a desktop's libraries; the headless build must have the last word.
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --reinstall-package opencv-python-headless \
	  -c constraints.txt opencv-python-headless
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

demo: setup ## read the samples, print what was found and where it lies
	$(BIN)/nightshift run samples --out out/demo --show 60; code=$$?; [ $$code -eq 0 ] || [ $$code -eq 3 ]

test: setup services lint ## run every test
	$(BIN)/pytest

soak: setup services ## the long tests: thousands of messages, a minute without a store
	SOAK=1 $(BIN)/pytest tests/soak
	NIGHT_OUTAGE=60 $(BIN)/pytest tests/acceptance/test_night_kills.py -k store_goes

lint: setup ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/mypy benchmarks/*.py

services: .services/swift/.done ## servers that only the tests need

.services/swift/.done: | $(VENV)/.done
	bash docker/system-packages.sh services
	test -x .services/swift/bin/python || $(PYTHON) -m venv .services/swift
	$(BIN)/uv pip install --quiet --python .services/swift/bin/python swift==2.38.3 'setuptools<81'
	touch $@

bench: setup ## measure speed and accuracy on labelled data: make bench DATA=folder
	@test -n "$(DATA)" || { echo "Name the folder with labelled documents: make bench DATA=/path (docs/reference/benchmarks.md)"; exit 2; }
	bash benchmarks/all.sh $(BIN)/python $(DATA)

clean: ## remove what the targets made
	rm -rf $(VENV) .services out
