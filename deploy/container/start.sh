#!/bin/sh
# Serve in the foreground, so that the signal to stop reaches the server: HOST, PORT and WORKERS; LAB_… are its settings.
set -eu
exec python -m serving --host "${HOST:-0.0.0.0}" --port "${PORT:-8000}" --workers "${WORKERS:-1}"
