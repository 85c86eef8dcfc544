#!/usr/bin/env bash
# Packs the Lambda binary as $ICHOR_CACHE/lambda/bootstrap and ichor-lambda-ARCH.zip, and prints both sizes.
#
# The runtime provided.al2023 has glibc 2.34. Linking infra/old_hypot.c into the binary keeps it at that on
# Debian 12, at the cost of one link; pack_lambda.py reads from the ELF file whether it held. On a newer
# distribution, or for the other architecture, cargo-lambda builds everything again with zig's old glibc.
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
  shim="$ICHOR_CACHE/lambda/old_hypot.o"
  mkdir -p "$ICHOR_CACHE/lambda"
  cc -O2 -fPIC -c infra/old_hypot.c -o "$shim"
  cargo rustc --release --locked --features lambda --bin lambda -- \
    -C "link-arg=$shim" -C link-arg=-Wl,--wrap=hypot,--wrap=hypotf
  if pack "$target/release/lambda"; then exit 0; fi
  say "building with cargo-lambda, for an older glibc"
fi
tests/tools/python_env.sh cargo-lambda-venv infra/cargo-lambda-requirements.txt
flags=(--release --locked --features lambda --bin lambda)
[ "$arch" = arm64 ] && flags+=(--arm64)
PATH="$ICHOR_CACHE/cargo-lambda-venv/bin:$PATH" cargo lambda build "${flags[@]}"
pack "$target/lambda/lambda/bootstrap"
