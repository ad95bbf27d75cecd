# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything a person does in this checkout, one command each: `make help` lists them.

# Both may be given on the command line: PYTHON=/path/to/python, and ANSIBLE_CORE=2.20 or ANSIBLE_CORE=2.20.3.
PYTHON ?=
ANSIBLE_CORE ?=
# More options for pytest, such as PYTEST_OPTIONS='-k cancel'.
PYTEST_OPTIONS ?=
# The folder of the official OpenAPI documents, which are not part of this project; without it, schemathesis has nothing to do.
DOCUMENTS ?=
# How many changes of the code `make mutants` draws, and with which seed.
MUTANTS ?= 300
SEED ?= 20
# As many test processes as the machine has cores; one that has finished takes over tests of another.
PYTEST = -m pytest --numprocesses=auto --dist=worksteal $(PYTEST_OPTIONS)

BIN := $(CURDIR)/.venv/bin
OLDEST := $(CURDIR)/.venv-oldest/bin
# Tools that start one another must find the environment's, not the machine's.
WITH_TOOLS = PATH="$(BIN):$$PATH"

# Any Python that can run tools/environment.py, which then looks for the one that the environment is to have.
FIND_PYTHON = for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 \
	"$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.*/bin/python /usr/bin/python3.* /usr/local/bin/python3.*; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' </dev/null >/dev/null 2>&1 && break; python=; done; \
	test -n "$$python" || { echo "make: there is no Python 3.9 or newer on this machine to start with." >&2; exit 1; }
ENVIRONMENT = $(FIND_PYTHON); "$$python" tools/environment.py

# Ansible insists on a UTF-8 locale.
ifneq ($(shell locale charmap 2>/dev/null),UTF-8)
export LC_ALL = C.UTF-8
endif

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help venv venv-oldest demo check test exhaustive lint types sanity pytest test-oldest unit coverage mutants schemathesis bench format pins clean

help:  ## List these commands
	@echo "make COMMAND [PYTHON=/path/to/python] [ANSIBLE_CORE=2.20] [PYTEST_OPTIONS='-k cancel']"
	@echo
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1|\2/p' Makefile | while IFS='|' read -r name text; do \
		printf '  %-12s %s\n' $$name "$$text"; done

venv:  ## Create .venv: the newest ansible-core that the newest Python here can run, and all tools
	@$(ENVIRONMENT) newest --python "$(PYTHON)" --core "$(ANSIBLE_CORE)"

venv-oldest:
	@$(ENVIRONMENT) oldest --python "$(PYTHON)" --core "$(ANSIBLE_CORE)"

demo: venv  ## Run the maintenance runbook against the simulator, and print what it did
	@$(BIN)/python tools/demo.py

check: venv types  ## Run what takes a few minutes: style, types, documentation, and all tests that start no program
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(WITH_TOOLS) antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .
	$(BIN)/python $(PYTEST) --ring=check

test: lint types sanity pytest test-oldest  ## Run what must pass before a change is merged: all from lint to test-oldest

exhaustive: venv venv-oldest  ## Run all cells of the matrices, new inputs, mutants, schemathesis, all on the oldest core: for the night
	$(BIN)/python $(PYTEST) --ring=exhaustive
	$(OLDEST)/python $(PYTEST)
	$(MAKE) --keep-going schemathesis mutants

lint: venv  ## Check style, YAML, playbooks, documentation, licences and changelog fragments
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/yamllint --strict .
	$(WITH_TOOLS) ansible-lint
	$(BIN)/reuse lint --quiet || $(BIN)/reuse lint
	$(BIN)/antsibull-changelog lint
	$(WITH_TOOLS) antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .

types: venv  ## Check the types of the plugins and the simulator
	$(BIN)/mypy

sanity: venv  ## Run all of ansible-test sanity, with nothing ignored
	$(BIN)/python tools/sanity.py

pytest: venv  ## Run all tests; of the matrices a selection in which each pair occurs
	$(BIN)/python $(PYTEST)

test-oldest: venv-oldest  ## On the oldest ansible-core and Python: ansible-test sanity, and the tests of check and the worst cases
	$(OLDEST)/python tools/sanity.py
	$(OLDEST)/python $(PYTEST) --ring=check --worst

unit: venv  ## Run only the unit tests, which takes seconds
	$(BIN)/python $(PYTEST) tests/unit

coverage: venv  ## Run all tests, and list the branches of the plugins that none of them takes in its own process
	$(BIN)/python $(PYTEST) --cov --cov-report=term --cov-report=html:build/coverage-html

mutants: venv  ## Change the code that decides, MUTANTS=300 times, and tell which changes no test notices; SEED=20 draws them
	$(BIN)/python tools/mutants.py --number "$(MUTANTS)" --seed "$(SEED)" --least 95

schemathesis: venv  ## Judge the simulator by the official OpenAPI documents in the folder DOCUMENTS=/path, if one is given
	$(BIN)/python tools/openapi_check.py "$(DOCUMENTS)"

bench: venv  ## Measure what the collection costs per task and over a fleet
	$(BIN)/python tools/bench.py

format: venv  ## Rewrite the Python files in the style that lint asks for
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

pins: venv  ## Renew the pins in requirements/ from the *.in files
	$(BIN)/python tools/pins.py

clean:  ## Remove the environments and everything that was built
	rm -rf .venv .venv-oldest build tests/output .ansible .hypothesis .*_cache
	find plugins roles tests tools -name __pycache__ -prune -exec rm -rf {} +
