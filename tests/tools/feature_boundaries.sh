#!/usr/bin/env bash
# What each feature set may pull in: the default build has no AWS in it, the bare library no HTTP and no runtime.
. "$(dirname "$0")/../../scripts/cache.sh"

# crates FLAGS…: the names of the crates a normal build with these flags compiles.
crates() { cargo tree --locked --edges normal --prefix none --format '{p}' "$@" | cut -d' ' -f1 | sort -u; }

aws='^(aws-|lambda_)'
card='^(ort|ort-sys|libloading)$'
# Assigned first: a cargo that fails ends the script here instead of looking like an empty list.
cloud=$(crates --features lambda)
gpu=$(crates --features gpu)
default=$(crates)
bare=$(crates --no-default-features)
grep -qE "$aws" <<<"$cloud" || die "no AWS crate even with the lambda feature: this check has gone blind"
grep -qE "$card" <<<"$gpu" || die "no onnxruntime even with the gpu feature: this check has gone blind"
if found=$(grep -E "$aws|$card" <<<"$default"); then die "the default build pulls in AWS crates or onnxruntime:" $found; fi
if found=$(grep -E "$card" <<<"$cloud"); then die "the lambda feature pulls in onnxruntime:" $found; fi
if found=$(grep -E "$aws" <<<"$gpu"); then die "onnxruntime pulls in AWS crates:" $found; fi
if found=$(grep -E "$aws|^(axum|hyper|tokio|tower-http)$" <<<"$bare"); then
  die "the library without features pulls in:" $found
fi

# The lints rather than a build: they share the dependencies' metadata with `make clippy`, so each costs seconds.
cargo clippy --release --locked --no-default-features --lib -- -D warnings
cargo clippy --release --locked --no-default-features --features lambda --bins -- -D warnings
cargo clippy --release --locked --all-targets -- -D warnings
say "the default build has no AWS crate, the bare library neither HTTP nor a runtime"
