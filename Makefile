# Needs Python 3.11+ (with venv) and make; everything else is installed, hash-checked, into .venv.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=
BIN := $(VENV)/bin
PIP := $(BIN)/pip --quiet --disable-pip-version-check
UV_VERSION := 0.13.9

# Stamps say what an environment holds, so that nothing is installed twice.
PACKAGES := $(VENV)/.packages
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
PEER_VENV := bench/.venv-healthchain
PEER := $(PEER_VENV)/.installed
READER_VENV := bench/.venv-medspacy
READER := $(READER_VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-integration serve check audit conformance bench sandbox format lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## fire every sample case at a running service and print its cards
	$(BIN)/cds-service demo $(ARGS)

test: $(DEV) ## run the tests (ARGS="tests/cards -k summary" for some of them)
	$(BIN)/python -m pytest $(ARGS)

test-integration: $(DEV) ## run the tests against a real FHIR server (HAPI FHIR; needs Java 17 and Maven)
	$(BIN)/python -m pytest -m integration tests/hapi $(ARGS)

serve: $(RUNTIME) ## run the service on loopback (ARGS="--port 9000 --workers 2")
	$(BIN)/cds-service serve $(ARGS)

check: $(DEV) ## lint, format, types, the direction of imports, and unsafe code (bandit)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive cds_service tools bench

# Strict, and hashes required, so that nothing is passed over; without pip, since the locks name every package.
audit: $(DEV) ## look for known weaknesses of the locked packages (pip-audit; needs the network)
	$(BIN)/pip-audit --strict --disable-pip --require-hashes --progress-spinner off $(ARGS) \
		--requirement requirements.txt --requirement requirements-build.txt --requirement requirements-dev.txt

conformance: $(DEV) ## run the tests of each requirement of CDS Hooks and write docs/conformance.csv (ARGS=--check compares)
	$(BIN)/python -m tools.build_conformance $(ARGS)

bench: $(RUNTIME) $(PEER) $(READER) ## measure CPU per request and note beside peers (ARGS=--write updates docs/performance.md)
	$(BIN)/python -m bench.run $(ARGS)
	$(BIN)/python -m bench.reader $(filter --write,$(ARGS))

sandbox: .env ## run the service, PostgreSQL and a FHIR server with the sample cases (needs Docker)
	docker compose up --build

format: $(DEV) ## format the code and fix what can be fixed by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# All locks hold hashes and no index address; runtime and development agree on every version.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url $(ARGS)
lock: $(RUNTIME) ## resolve all dependencies anew into requirements*.txt (ARGS=--upgrade takes newer versions)
	$(PIP) install uv==$(UV_VERSION)
	$(COMPILE) --extra postgresql --group dev pyproject.toml --output-file requirements-dev.txt
	$(COMPILE) --extra postgresql --constraint requirements-dev.txt pyproject.toml --output-file requirements.txt
	echo 'hatchling' | $(COMPILE) --constraint requirements-dev.txt - --output-file requirements-build.txt
	echo 'healthchain==0.16.1' | $(COMPILE) - --output-file bench/requirements-healthchain.txt
	printf 'medspacy==1.3.1\nthinc>=8.2.5\n' | $(COMPILE) - --output-file bench/requirements-medspacy.txt

clean: ## remove the environments, caches and build output
	rm -rf $(VENV) $(PEER_VENV) $(READER_VENV) tests/hapi/launcher/target build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.env:
	umask 077 && $(PYTHON) -c 'import secrets; print("POSTGRES_PASSWORD=" + secrets.token_hex(16))' > $@

# Made anew when a lock changes, so that no package stays behind that is not in it.
$(PACKAGES): requirements.txt requirements-build.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --require-hashes --requirement requirements.txt --requirement requirements-build.txt
	touch $@

$(RUNTIME): pyproject.toml $(PACKAGES)
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	$(PIP) install --require-hashes --requirement requirements-dev.txt
	touch $@

$(PEER): bench/requirements-healthchain.txt
	$(PYTHON) -m venv --clear $(PEER_VENV)
	$(PEER_VENV)/bin/pip --quiet --disable-pip-version-check install --require-hashes --requirement $<
	touch $@

$(READER): bench/requirements-medspacy.txt
	$(PYTHON) -m venv --clear $(READER_VENV)
	$(READER_VENV)/bin/pip --quiet --disable-pip-version-check install --require-hashes --requirement $<
	touch $@
