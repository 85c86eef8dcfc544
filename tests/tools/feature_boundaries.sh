#!/usr/bin/env bash
# Checks the dependencies of each feature set: no AWS in the default build, no HTTP and no runtime in the bare library.
. "$(dirname "$0")/../../scripts/cache.sh"

# crates FLAGS…: the names of the crates a normal build with these flags compiles.
crates() { cargo tree --locked --edges normal --prefix none --format '{p}' "$@" | cut -d' ' -f1 | sort -u; }

aws='^(aws-|lambda_)'
gpu_crates='^(ort|ort-sys|libloading)$'
# Assigned first, so that a failure of cargo ends the script instead of giving an empty list.
cloud=$(crates --features lambda)
gpu=$(crates --features gpu)
default=$(crates)
bare=$(crates --no-default-features)
grep -qE "$aws" <<<"$cloud" || die "no AWS crate even with the lambda feature: this check no longer works"
grep -qE "$gpu_crates" <<<"$gpu" || die "no onnxruntime even with the gpu feature: this check no longer works"
if found=$(grep -E "$aws|$gpu_crates" <<<"$default"); then die "the default build pulls in AWS crates or onnxruntime:" "$found"; fi
if found=$(grep -E "$gpu_crates" <<<"$cloud"); then die "the lambda feature pulls in onnxruntime:" "$found"; fi
if found=$(grep -E "$aws" <<<"$gpu"); then die "onnxruntime pulls in AWS crates:" "$found"; fi
if found=$(grep -E "$aws|^(axum|hyper|tokio|tower-http)$" <<<"$bare"); then
  die "the library without features pulls in:" "$found"
fi

# names PATTERN FOLDER…: the files of src/ outside of these folders that name a crate matching PATTERN.
names() {
  local pattern=$1
  shift
  local files
  files=$(grep -rlE "(^|[^:_a-z])($pattern)::" src --include='*.rs') || die "nothing in src/ names $pattern: this check no longer works"
  for folder in "$@"; do files=$(grep -v "^src/${folder}[/.]" <<<"$files" || true); done
  printf '%s' "$files"
}
if found=$(names 'aws_[a-z0-9_]+|lambda_[a-z]+' aws) && [ -n "$found" ]; then die "only src/aws may name the AWS SDK:" "$found"; fi
if found=$(names 'axum|tower_http' http) && [ -n "$found" ]; then die "only src/http may name axum:" "$found"; fi
if found=$(grep -nE 'crate::(http|jobs|aws|cli)' -r src/config.rs src/config); then die "config only reads flags and variables:" "$found"; fi

# Clippy instead of a build: it shares the metadata of the dependencies with `make clippy` and takes seconds.
cargo clippy --release --locked --no-default-features --lib -- -D warnings
cargo clippy --release --locked --no-default-features --features lambda --bins -- -D warnings
cargo clippy --release --locked --all-targets -- -D warnings
say "the default build has no AWS crate, the bare library neither HTTP nor a runtime"
