#!/bin/sh
# Install pinned libraries into a new environment: install.sh ENVIRONMENT REQUIREMENTS. Only wheels, each by its hash.
set -eu
python3 -m venv --without-pip "$1"
python3 -m pip --python "$1/bin/python" install \
  --quiet --no-cache-dir --no-deps --only-binary :all: --require-hashes --requirement "$2"
