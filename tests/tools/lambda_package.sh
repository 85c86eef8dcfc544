#!/usr/bin/env bash
# Packs the Lambda binary as $ICHOR_CACHE/lambda/bootstrap and ichor-lambda-ARCH.zip, and prints both sizes.
#
# The runtime provided.al2023 has glibc 2.34. A binary linked here runs there when it asks for no newer
# symbol version, and then it is the very binary that the tests drive; that is checked in the ELF file.
# On a newer distribution, or for the other architecture, cargo-lambda links against an old glibc with zig.
. "$(dirname "$0")/cache.sh"

cd "$(dirname "$0")/../.."
arch=${ICHOR_LAMBDA_ARCH:-$(uname -m)}
[ "$arch" = aarch64 ] && arch=arm64
case "$arch" in x86_64 | arm64) ;; *) die "ICHOR_LAMBDA_ARCH is x86_64 or arm64, not $arch" ;; esac
host=$(uname -m)
[ "$host" = aarch64 ] && host=arm64
target=${CARGO_TARGET_DIR:-$ICHOR_CACHE/target}
export CARGO_TARGET_DIR=$target
pack() { python3 tests/tools/pack_lambda.py "$1" "$ICHOR_CACHE/lambda" "$arch" --newest-glibc 2.34; }

if [ "$arch" = "$host" ]; then
  cargo build --release --locked --features lambda --bins
  if pack "$target/release/lambda"; then exit 0; fi
  say "linking again with cargo-lambda, against an older glibc"
fi
tests/tools/python_env.sh cargo-lambda-venv infra/cargo-lambda-requirements.txt
flags=(--release --locked --features lambda --bin lambda)
[ "$arch" = arm64 ] && flags+=(--arm64)
PATH="$ICHOR_CACHE/cargo-lambda-venv/bin:$PATH" cargo lambda build "${flags[@]}"
pack "$target/lambda/lambda/bootstrap"
