#!/usr/bin/env bash
# build_image.sh gpu|lambda TAG: builds an image whose bases are named by digest.
#
# The digests are asked of the registry when the image is built, printed, and kept in the image's labels: a tag moves,
# what was built does not. ICHOR_BASE and ICHOR_BUILDER name other bases, by digest or local ones.
#   gpu     ICHOR_LIBRARIES=gpu|cpu, ICHOR_BINARY=compiled|prebuilt (target/release/sagemaker)
#   lambda  ICHOR_FUNCTION=api|worker, after `make lambda`
. "$(dirname "$0")/../tests/tools/cache.sh"

cd "$(dirname "$0")/.."
# Its build must know BuildKit: Docker 23 and later bring that as the plugin buildx.
docker=${ICHOR_DOCKER:-docker}
kind=${1:?usage: build_image.sh gpu|lambda TAG}
tag=${2:?usage: build_image.sh gpu|lambda TAG}
$docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || die "there is no container engine; start docker, then run this again"

# by_digest IMAGE: the image by the digest that its registry gives for the tag now.
by_digest() {
  case "$1" in *@sha256:* | local/*) printf '%s\n' "$1" && return ;; esac
  $docker pull --quiet "$1" >/dev/null || die "$1 cannot be pulled; name one that is here with ICHOR_BASE or ICHOR_BUILDER"
  $docker image inspect --format '{{index .RepoDigests 0}}' "$1"
}

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
mkdir -p "$context/sbom"
python3 infra/sbom.py --image "$kind" --output "$context/sbom"
declare -a arguments
case "$kind" in
  gpu)
    mkdir -p "$context/source/infra" "$context/prebuilt"
    cp -r Cargo.toml Cargo.lock LICENSE src "$context/source"
    cp infra/*-requirements.txt "$context/source/infra"
    # Cargo wants to see the targets that Cargo.toml names.
    mkdir -p "$context/source/tests/it" && touch "$context/source/tests/it/main.rs"
    binary=${ICHOR_BINARY:-compiled}
    if [ "$binary" = prebuilt ]; then
      cp "${CARGO_TARGET_DIR:-$ICHOR_CACHE/target}/release/sagemaker" "$context/prebuilt"
    fi
    base=$(by_digest "${ICHOR_BASE:-debian:bookworm-slim}")
    builder=$base
    [ "$binary" = prebuilt ] || builder=$(by_digest "${ICHOR_BUILDER:-rust:1.92-slim-bookworm}")
    arguments=(--build-arg "BASE=$base" --build-arg "BUILDER=$builder" --build-arg "BINARY=$binary"
      --build-arg "LIBRARIES=${ICHOR_LIBRARIES:-gpu}" --label "org.opencontainers.image.base.name=$base")
    # Where the packages come from is this machine's own business: it is handed over, and not kept.
    if index=$(python3 -m pip config get global.index-url 2>/dev/null) && [ -n "$index" ]; then arguments+=(--build-arg "PIP_INDEX_URL=$index"); fi
    ;;
  lambda)
    function=${ICHOR_FUNCTION:-api}
    [ -f "$ICHOR_CACHE/lambda/$function/bootstrap" ] || die "run make lambda first"
    mkdir -p "$context/$function"
    cp "$ICHOR_CACHE/lambda/$function/bootstrap" "$context/$function"
    base=$(by_digest "${ICHOR_BASE:-public.ecr.aws/lambda/provided:al2023}")
    arguments=(--build-arg "BASE=$base" --build-arg "FUNCTION=$function" --label "org.opencontainers.image.base.name=$base")
    ;;
  *) die "the kinds are gpu and lambda, not $kind" ;;
esac
say "building $tag on $base"
DOCKER_BUILDKIT=1 $docker build --network host --file "infra/Dockerfile.$kind" --tag "$tag" "${arguments[@]}" "$context"
$docker image inspect --format '{{.Id}} {{.Size}} bytes' "$tag"
