# Everything a person types. `make` alone lists the targets. Needs Python 3.11+, git and make; uv comes with the lock.

PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$name; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(or $(shell command -v uv 2>/dev/null),$(BIN)/uv)
PIP = $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps
PACKAGES := cli flows tasks runtime broker predictions db config core simulator
# quick ones first, three at a time, for they wait for servers and disks at times; those that run whole processes
# after; in both the longest files first (pytest-xdist's own order has them last)
QUICK := $(foreach area,tidy property simulator db unit predictions playbooks,$(wildcard tests/$(area)))
WHOLE := $(foreach area,day chaos flows cases broker,$(wildcard tests/$(area)))
T ?= tests/unit
ARGS ?=
SEED ?= 1
N ?= 20
chaos: DAYS ?= short
laws: DAYS ?= 1200
CORE_TESTS := tests/unit/core tests/playbooks

.DEFAULT_GOAL := help
.PHONY: help setup dev demo test long one check sim db migration chaos coverage laws mutants lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.setup ## make the project's own environment (.venv) from the lock; nothing to do when it is up to date

dev: $(VENV)/.dev ## the same with what the tests need

demo: setup ## one whole simulated trading day, start to finish; ARGS="--seed 7"
	@$(BIN)/trader demo $(ARGS)

test: dev ## the tests, the fast ones first; ARGS="-x"
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(QUICK) $(ARGS)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(WHOLE) $(ARGS)

long: dev ## the tests that take minutes: a synthetic day twice, more faulty days, a stack whose parts die
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m long tests $(ARGS)

one: dev ## some tests: T=tests/unit/config ARGS="-k port"
	@$(BIN)/python -m pytest $(T) $(ARGS)

check: dev ## style, types, floors and house rules
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q tests/tidy

sim: setup ## the simulated gateway alone; ARGS="--market synthetic --port 4002"
	@$(BIN)/trader gateway $(ARGS)

chaos: dev ## N faulty days from SEED on, killed and audited; run it again to resume: N=200 SEED=1 DAYS=short (or whole)
	@$(BIN)/python -m tests.chaos --count $(N) --seed $(SEED) --days $(DAYS) $(ARGS)

db: setup ## psql on the project's database
	@$(BIN)/trader db $(ARGS)

migration: dev ## write a migration from the models: NAME="add a column"
	@test -n "$(NAME)" || { echo 'say what it does: make migration NAME="add a column"'; exit 2; }
	@$(BIN)/trader migration "$(NAME)"

coverage: dev ## run the core's own tests and fail unless every branch of core/ was taken (under a minute)
	@$(BIN)/python -m coverage run --source=core -m pytest -q $(CORE_TESTS)
	@$(BIN)/python -m coverage report --fail-under=100

laws: dev ## hold the engine's laws against DAYS random days of 50 steps from SEED; DAYS=1200 SEED=7 (a day is 0.1 s)
	@echo "$(DAYS) days of 50 steps, seed $(SEED)"
	@HYPOTHESIS_PROFILE=search TRADER_LAW_EXAMPLES=$(DAYS) $(BIN)/python -m pytest -q tests/property/test_engine_laws.py \
		--hypothesis-seed=$(SEED) $(ARGS)

mutants: dev ## change core/rules and core/bracket.py some 700 times; do the tests notice? (5 min on two quiet cores)
	@rm -rf mutants
	@$(BIN)/python -m mutmut run --max-children 2
	@$(BIN)/python -m mutmut export-cicd-stats
	@$(BIN)/python -m mutmut results

lock: dev ## pin the dependencies anew, with hashes and without addresses
	$(UV) pip compile pyproject.toml --group build --generate-hashes --no-emit-index-url --universal --no-header --no-annotate -q -o requirements.lock
	$(UV) pip compile pyproject.toml --group build --extra dev -c requirements.lock --generate-hashes --no-emit-index-url --universal \
		--no-header --no-annotate -q -o requirements-dev.lock

clean: ## remove caches and build output; the environment and var/ stay
	rm -rf build dist mutants *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how an environment is made: $(1) is the lock file; uv installs it, ten times as fast as pip. All is compiled
# at once: where PYTHONDONTWRITEBYTECODE is set every process would compile it anew, for seconds.

define install
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; name it: make setup PYTHON=/path/to/python"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing $(1) into $(VENV) ..."
	@sed -n '/^uv==/,/[^\\]$$/p' $(1) >$(VENV)/uv.txt
	@{ test -x "$(UV)" || $(PIP) --require-hashes -r $(VENV)/uv.txt; } \
		&& "$(UV)" pip install -q --python $(BIN)/python --no-deps --require-hashes --compile-bytecode -r $(1) \
		|| { echo "uv cannot install it here; pip does, in minutes"; $(PIP) --require-hashes -r $(1); }
	@$(PIP) --no-build-isolation --no-index -e .
	@$(BIN)/python -m compileall -q $(wildcard $(PACKAGES))
	@touch $@
endef

$(VENV)/.setup: requirements.lock pyproject.toml
	$(call install,requirements.lock)

$(VENV)/.dev: requirements-dev.lock pyproject.toml
	$(call install,requirements-dev.lock)
	@touch $(VENV)/.setup
