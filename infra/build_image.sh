#!/usr/bin/env bash
# build_image.sh cpu|gpu|lambda TAG: builds a container image whose bases are named by digest.
#
# A tag moves; a digest does not. The registry is asked for the digests when the image is built; they are printed and
# kept in the image's labels. ICHOR_BASE and ICHOR_BUILDER name other bases, by digest or local ones.
#   cpu     ICHOR_BINARY=compiled|prebuilt (prebuilt: the program of `make build`)
#   gpu     ICHOR_BINARY=compiled|prebuilt (prebuilt: the server of `make sagemaker`), ICHOR_LIBRARIES=gpu|cpu
#   lambda  ICHOR_FUNCTION=api|worker, after `make lambda`
. "$(dirname "$0")/../scripts/cache.sh"

cd "$(dirname "$0")/.."
# The build needs BuildKit, which Docker 23 and later bring as the plugin buildx.
docker=${ICHOR_DOCKER:-docker}
kind=${1:?usage: build_image.sh cpu|gpu|lambda TAG}
tag=${2:?usage: build_image.sh cpu|gpu|lambda TAG}
$docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || die "no container engine answers; start docker, then run this again"

# by_digest IMAGE: the image by the digest that its registry gives for the tag now.
by_digest() {
  case "$1" in *@sha256:* | local/*) printf '%s\n' "$1" && return ;; esac
  $docker pull --quiet "$1" >/dev/null || die "$1 cannot be pulled; name a local image with ICHOR_BASE or ICHOR_BUILDER"
  $docker image inspect --format '{{index .RepoDigests 0}}' "$1"
}

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir -p "$context/sbom"

# Everything that Cargo.toml names, so that Cargo finds all its targets.
sources=(Cargo.toml Cargo.lock build.rs src crates benches examples tests/allocations.rs tests/it models frontend)

# add_program BINARY: the sources or the binary of an image of a program, its base and its builder.
add_program() {
  local choice=${ICHOR_BINARY:-compiled} builder part
  mkdir -p "$context/prebuilt" "$context/source"
  cp --parents LICENSE infra/*-requirements.txt "$context/source"
  base=$(by_digest "${ICHOR_BASE:-debian:bookworm-slim}")
  builder=$base
  if [ "$choice" = prebuilt ]; then
    cp "${ICHOR_BUILT:-${CARGO_TARGET_DIR:-target}/release}/$1" "$context/prebuilt"
  else
    for part in "${sources[@]}"; do
      [ ! -e "$part" ] || cp -r --parents "$part" "$context/source"
    done
    builder=$(by_digest "${ICHOR_BUILDER:-rust:1.92-slim-bookworm}")
  fi
  arguments=(--build-arg "BASE=$base" --build-arg "BUILDER=$builder" --build-arg "BINARY=$choice" --build-arg "PROGRAM=$1")
}

declare -a arguments
bill=$kind
case "$kind" in
  cpu)
    bill=program
    add_program "$BINARY_CLI"
    ;;
  gpu)
    add_program "$BINARY_SAGEMAKER"
    arguments+=(--build-arg "LIBRARIES=${ICHOR_LIBRARIES:-gpu}")
    # The package index is a matter of the building machine: it is passed on and not kept in the image.
    if index=$(python3 -m pip config get global.index-url 2>/dev/null) && [ -n "$index" ]; then
      arguments+=(--build-arg "PIP_INDEX_URL=$index")
    fi
    ;;
  lambda)
    function=${ICHOR_FUNCTION:-api}
    [ -f "$ICHOR_CACHE/lambda/$function/bootstrap" ] || die "run make lambda first"
    mkdir -p "$context/$function"
    cp "$ICHOR_CACHE/lambda/$function/bootstrap" "$context/$function"
    base=$(by_digest "${ICHOR_BASE:-public.ecr.aws/lambda/provided:al2023}")
    arguments=(--build-arg "BASE=$base" --build-arg "FUNCTION=$function")
    ;;
  *) die "the images are cpu, gpu and lambda, not $kind" ;;
esac
python3 infra/sbom.py --image "$bill" --output "$context/sbom"
say "building $tag on $base"
DOCKER_BUILDKIT=1 $docker build --network host --file "infra/Dockerfile.$kind" --tag "$tag" \
  --label "org.opencontainers.image.base.name=$base" "${arguments[@]}" "$context"
$docker image inspect --format '{{.Id}} {{.Size}} bytes' "$tag"
