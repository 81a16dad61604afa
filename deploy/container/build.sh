#!/bin/sh
# Build both images: build.sh TAG [FOLDER]. FOLDER is what `python -m ops pack` wrote (served/champion).
# DOCKER=podman takes another engine; REGISTRY=registry.example/team/ goes before the names.
set -eu
tag=${1:?"usage: build.sh TAG [FOLDER]"}
packed=${2:-served/champion}
docker=${DOCKER:-docker}
cd "$(dirname "$0")/../.."
test -s "$packed/manifest.json" || {
  echo "$packed holds no model. Cure: python -m ops pack --stage production --output $packed" >&2
  exit 2
}
file=deploy/container/Dockerfile
"$docker" build --file "$file" --target server --tag "${REGISTRY:-}tabular-lab-server:$tag" .
"$docker" build --file "$file" --target model --build-context "packed=$(readlink -f "$packed")" \
  --tag "${REGISTRY:-}tabular-lab-model:$tag" .
