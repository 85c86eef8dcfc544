#!/usr/bin/env bash
# sam_local.sh: runs the API function in a container of the Lambda runtime, with its models in a local S3 server.
# ICHOR_BASE names another image to use as the runtime, such as local/debian:bookworm-slim.
#
# Needs a running container engine. Without one it prints the alternatives and ends with status 3: `make lambda-watch`,
# or AWS's emulator as in `make aws-tests`.
. "$(dirname "$0")/../scripts/cache.sh"

cd "$(dirname "$0")/.."
docker=${ICHOR_DOCKER:-docker}
image=public.ecr.aws/lambda/provided:al2023-x86_64

no_engine() {
  cat >&2 <<TEXT
== NOT STARTED: sam local needs a container engine, and $1
== without containers:
==   make lambda-watch   runs the API function with cargo-lambda, rebuilt when the code changes
==   make aws-tests      runs both functions under AWS's Runtime Interface Emulator
TEXT
  exit 3
}

command -v "$docker" >/dev/null || no_engine "docker is not installed (apt-get install --no-install-recommends docker.io)."
"$docker" info >/dev/null 2>&1 || no_engine "its daemon does not answer (start dockerd as root)."
options=()
if [ -n "${ICHOR_BASE:-}" ]; then
  options=(--invoke-image "$ICHOR_BASE" --skip-pull-image)
elif "$docker" image inspect "$image" >/dev/null 2>&1 || "$docker" pull --quiet "$image"; then
  options=(--skip-pull-image)
else
  # Any small Debian works: the binary needs only glibc 2.34.
  command -v debootstrap >/dev/null || no_engine "the base image can neither be pulled nor built (apt-get install debootstrap)."
  base=$(mktemp -d)
  debootstrap --variant=minbase bookworm "$base" && tar -C "$base" -c . | "$docker" import - local/debian:bookworm-slim
  rm -rf "$base"
  options=(--invoke-image local/debian:bookworm-slim --skip-pull-image)
fi
export ICHOR_DOCKER=$docker
exec "$ICHOR_CACHE/test-venv/bin/python" tests/aws/sam_local.py "${options[@]}" "$@"
