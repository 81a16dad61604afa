#!/bin/sh
# Build one of the two images: build.sh server TAG, or build.sh model TAG [FOLDER], for what `python -m ops pack` wrote.
# DOCKER=podman takes another engine; REGISTRY=registry.example/team/ goes before the name.
set -eu
usage="usage: build.sh server TAG | build.sh model TAG [FOLDER]"
image=${1:?"$usage"}
name=${REGISTRY:-}tabular-lab-$image:${2:?"$usage"}
packed=${3:-served/champion}
case $image in
  server) set -- ;;
  model)
    test -s "$packed/manifest.json" || {
      echo "$packed holds no model. Cure: python -m ops pack --stage production --output $packed" >&2
      exit 2
    }
    # `pack` makes a link, which an engine need not follow.
    set -- --build-context "packed=$(cd "$packed" && pwd -P)" ;;
  *) echo "found $image; $usage" >&2; exit 2 ;;
esac
cd "$(dirname "$0")/../.."
exec "${DOCKER:-docker}" build --file deploy/container/Dockerfile --target "$image" --tag "$name" "$@" .
