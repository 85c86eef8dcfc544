#!/usr/bin/env bash
# Builds and packs the two functions, each as $ICHOR_CACHE/lambda/NAME/bootstrap and ichor-NAME-ARCH.zip (NAME is api
# or worker), and prints their sizes. lambda_package.sh NAME packs one of them.
#
# They are built without tract, which would be more than half of the zip: a network with an operator that the native
# engine does not know is refused at startup. ICHOR_LAMBDA_FEATURES=lambda,tract includes it.
#
# The runtime provided.al2023 has glibc 2.34. Linking infra/old_hypot.c into the binaries keeps them compatible with it
# on Debian 12, at the cost of one link each; pack_lambda.py checks this in the ELF file. On a newer distribution, and
# for the other architecture, cargo-lambda builds everything again against an old glibc with zig.
. "$(dirname "$0")/cache.sh"

cd "$(dirname "$0")/.."
arch=${ICHOR_LAMBDA_ARCH:-$(uname -m)}
[ "$arch" = aarch64 ] && arch=arm64
case "$arch" in x86_64 | arm64) ;; *) die "ICHOR_LAMBDA_ARCH is x86_64 or arm64, not $arch" ;; esac
host=$(uname -m)
[ "$host" = aarch64 ] && host=arm64
features=${ICHOR_LAMBDA_FEATURES:-lambda}
target=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$target
declare -A binary=([api]=$BINARY_API [worker]=$BINARY_WORKER)
names=("$@")
[ $# -gt 0 ] || names=(api worker)
pack() { python3 scripts/pack_lambda.py "$2" "$ICHOR_CACHE/lambda/$1" "$1" "$arch" --newest-glibc 2.34; }

if [ "$arch" = "$host" ]; then
  shim="$ICHOR_CACHE/lambda/old_hypot.o"
  mkdir -p "$ICHOR_CACHE/lambda"
  cc -O2 -fPIC -c infra/old_hypot.c -o "$shim"
  plain=yes
  # Identical functions are merged, which saves 3 % of the zip. Only LLD has the option, which Rust uses on x86_64.
  fold=()
  if [ "$host" = x86_64 ]; then fold=(-C "link-arg=-Wl,--icf=all"); fi
  for name in "${names[@]}"; do
    cargo rustc --release --locked --no-default-features --features "$features" --bin "${binary[$name]}" -- \
      -C "link-arg=$shim" -C link-arg=-Wl,--wrap=hypot,--wrap=hypotf "${fold[@]}"
    pack "$name" "$target/release/${binary[$name]}" || { plain=no; break; }
  done
  if [ $plain = yes ]; then exit 0; fi
  say "building with cargo-lambda, for an older glibc"
fi
scripts/python_env.sh cargo-lambda-venv infra/cargo-lambda-requirements.txt
for name in "${names[@]}"; do
  flags=(--release --locked --no-default-features --features "$features" --bin "${binary[$name]}")
  [ "$arch" = arm64 ] && flags+=(--arm64)
  PATH="$ICHOR_CACHE/cargo-lambda-venv/bin:$PATH" cargo lambda build "${flags[@]}"
  pack "$name" "$target/lambda/${binary[$name]}/bootstrap"
done
