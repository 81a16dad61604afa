# Every target sets up what it needs, from nothing but Python 3.11+ and git, and is quick when it is there already.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup repro test check format reproduce lock bench clean-environment

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 22

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "found $$($(PYTHON) --version), expected Python 3.11 or newer; cure: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv

# A stamp is newer than its pins only after an install that ended well, so a killed set-up is taken up again.
.venv/pipeline.stamp: requirements.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@

.venv/test.stamp: tests/requirements.txt | .venv/pipeline.stamp
	.venv/bin/python -m pip install --quiet --require-hashes --requirement tests/requirements.txt
	@touch $@

setup: .venv/pipeline.stamp  ## install what the pipeline needs into .venv

repro: setup  ## run the DAG: only what has changed runs
	dvc repro

test: .venv/test.stamp  ## run every test
	pytest

check: .venv/test.stamp  ## what CI asks before a merge: format, lint, types
	ruff format --check .
	ruff check .
	mypy
	python -m ops readme --check

format: .venv/test.stamp  ## put code into the house's form, and the README's tables up to date
	ruff format .
	ruff check --fix .
	python -m ops readme

reproduce: setup  ## derive everything again and compare it with what is committed, byte for byte
	dvc repro --force --quiet
	git diff --exit-code --stat -- dvc.lock metrics plots reports
	@echo "The same bytes: dvc.lock, metrics, plots and reports are what is committed."

lock: .venv/test.stamp  ## resolve pyproject.toml again into exact pins with hashes
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE) \
	  pyproject.toml --output-file requirements.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE) \
	  --extra cluster --extra s3 --extra sql --extra ssh --extra test --extra webdav --constraint requirements.txt pyproject.toml --output-file tests/requirements.txt

bench: .venv/test.stamp  ## measure the figures kept in benchmarks/
	python -m benchmarks

clean-environment:  ## remove .venv, so that the next target sets it up again
	rm -rf .venv
