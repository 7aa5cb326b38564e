# The two commands of the README are `make onboard` and `make test`; `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.PHONY: help setup onboard test faults judges check bench clean pin

# sudo drops PATH and the variables below; a Go or Python outside Debian's folders is found by the first of them.
ifneq ($(shell id -u),0)
SUDO := sudo env "PATH=$(PATH)" $(foreach name,VAERN_TOOLS VAERN_STATE VAERN_ACCELERATED NO_COLOR,$(if $($(name)),"$(name)=$($(name))"))
endif
bin := .venv/bin
municipality ?= favrskov
test_folders = $(shell sed -n 's/^testpaths = \[\(.*\)\]/\1/p' pyproject.toml | tr -d '",')
# Processes that share the tests; each holds up to six hosts.
processes ?= 3
shell_scripts = stacks/setup/setup stacks/setup/pin stacks/setup/*.sh stacks/setup/steps/*.sh .ci/run \
	roles/programs/package/debian/scripts/vaern-kafka-prepare roles/programs/package/debian/scripts/vaern-take-certificate \
	roles/programs/package/debian/scripts/vaern-relay-killed \
	roles/programs/package/debian/postinst roles/programs/package/debian/prerm roles/programs/package/debian/postrm roles/programs/files/*.sh

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Make this machine ready (skips what is up to date)
	@$(SUDO) stacks/setup/setup

onboard: setup ## Onboard the example municipality on the lab (municipality=NAME for another)
	@$(SUDO) $(bin)/vaern onboard $(municipality)

test: ## All tests: unit, roles, lab end to end (processes=N for more side by side, without=FOLDER for less)
	@$(SUDO) stacks/setup/setup --also azurite
	$(SUDO) $(bin)/pytest -n $(processes) $(filter-out $(without),$(test_folders))

check: setup ## Lint, types, layers, coverage; no lab
	@# Two at a time; each prints in one piece when it has ended, and one that fails stops none of the others.
	$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target $(checks)
	echo "make check: all passed"

checks := audit unit-coverage mypy ansible-lint ruff-check ruff-format import-linter yamllint shellcheck clippy rustfmt
.PHONY: $(checks)

unit-coverage:
	@echo "== coverage of the unit tests"
	$(SUDO) $(bin)/pytest tests/unit --cov --cov-report=term:skip-covered -q

audit:
	@echo "== checkov, bandit, secrets, SBOM, known vulnerabilities"
	$(SUDO) stacks/setup/setup --also checkov
	$(SUDO) stacks/setup/setup --also judges
	$(SUDO) $(bin)/pytest tests/audit -q -rs

mypy:
	@echo "== mypy"
	$(bin)/mypy

ansible-lint:
	@echo "== ansible-lint"
	# Its Ansible and its config come from the virtual environment, whatever the machine has.
	PATH="$(CURDIR)/$(bin):$$PATH" $(bin)/ansible-lint

ruff-check:
	@echo "== ruff check"
	$(bin)/ruff check .

ruff-format:
	@echo "== ruff format"
	$(bin)/ruff format --check .

# Debian's packages of both are of another version than its cargo, so set-up cannot bring them; rustup's cargo has them.
clippy rustfmt: export PATH := $(PATH):$(HOME)/.cargo/bin
clippy rustfmt: export CARGO_TARGET_DIR = $(or $(VAERN_STATE),$(CURDIR)/.vaern)/reader
clippy:
	@echo "== clippy"
	cd roles/programs/reader
	if cargo clippy --version; then
		cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
	else
		echo "SKIPPED: this cargo has no clippy (rustup component add clippy)"
	fi

rustfmt:
	@echo "== rustfmt"
	cd roles/programs/reader
	if cargo fmt --version; then
		cargo fmt --all --check
	else
		echo "SKIPPED: this cargo has no rustfmt (rustup component add rustfmt)"
	fi

import-linter:
	@echo "== import-linter"
	$(bin)/lint-imports --no-cache

yamllint:
	@echo "== yamllint"
	$(bin)/yamllint --strict .

shellcheck:
	@echo "== shellcheck"
	if command -v shellcheck > /dev/null; then
		shellcheck -x -P . $(shell_scripts)
	else
		$(bin)/shellcheck -x -P . $(shell_scripts)
	fi

faults: setup ## Break the way from device to archive, at full length, and measure (an hour; docs/faults.md)
	@$(SUDO) $(bin)/pytest tests/faults -m faults --fault-scale 1 --fault-record .vaern/faults.jsonl

judges: setup ## Have outside judges look at hosts and repository; for the nightly run (a quarter of an hour)
	@$(SUDO) stacks/setup/setup --also judges --also debian12
	$(SUDO) $(bin)/pytest tests/judges tests/audit/test_judges.py tests/audit/test_bill_of_materials.py -m "judges or audit" -q -rs

bench: setup ## Measure against plain ansible-playbook and ansible-inventory (minutes; no timed test)
	@$(SUDO) $(bin)/pytest tests/bench -m bench -s

pin: ## Renew requirements.lock after a change in pyproject.toml
	@stacks/setup/pin

clean: ## Take the lab down, then remove everything set-up and runs made here
	@if [[ -x $(bin)/vaern ]]; then $(SUDO) $(bin)/vaern lab down; fi
	# A mount left below .vaern would be emptied by rm: refuse instead.
	if findmnt --list --noheadings --output TARGET | grep -F "$(CURDIR)/.vaern/"; then
		echo "still mounted (above): end the lab first with \`$(bin)/vaern lab down\`" >&2
		exit 1
	fi
	$(SUDO) rm -rf .vaern .venv .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .ansible dist
	find . -name __pycache__ -type d -prune -exec $(SUDO) rm -rf {} +
