#!/usr/bin/env bash
# sam_local.sh: the API in a container of the Lambda runtime, its models in an S3 server on loopback.
#
# Needs a container engine that runs. Where there is none it says so loudly and ends with status 3: the functions
# are then tried with cargo-lambda, or under AWS's emulator as `make aws-tests` does.
. "$(dirname "$0")/../tests/tools/cache.sh"

cd "$(dirname "$0")/.."
image=public.ecr.aws/lambda/provided:al2023-x86_64

no_engine() {
  cat >&2 <<TEXT
== NOT STARTED: sam local needs a container engine, and $1
== without containers:
==   cargo lambda watch -A 127.0.0.1 -P 9000 --disable-cors     (pip install cargo-lambda ziglang)
==   make aws-tests      runs both functions under AWS's Runtime Interface Emulator
TEXT
  exit 3
}

command -v docker >/dev/null || no_engine "docker is not installed (apt-get install --no-install-recommends docker.io)."
docker info >/dev/null 2>&1 || no_engine "its daemon does not answer (start dockerd as root)."
pull=()
if docker image inspect "$image" >/dev/null 2>&1; then
  pull=(--skip-pull-image)
elif ! docker pull --quiet "$image"; then
  # Any small Debian will do: the binary needs glibc 2.34 and nothing else.
  command -v debootstrap >/dev/null || no_engine "the base image can neither be pulled nor built (apt-get install debootstrap)."
  base=$(mktemp -d)
  trap 'rm -rf "$base"' EXIT
  debootstrap --variant=minbase bookworm "$base" && tar -C "$base" -c . | docker import - "$image"
  pull=(--skip-pull-image)
fi
exec "$ICHOR_CACHE/test-venv/bin/python" tests/aws/sam_local.py "${pull[@]}" "$@"
