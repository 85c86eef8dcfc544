#!/usr/bin/env bash
# Installs s3s-fs, an S3 server that keeps its buckets in a folder and verifies the signatures of requests.
. "$(dirname "$0")/cache.sh"

version=0.14.1
if stamped s3s-fs "$version" && [ -x "$ICHOR_CACHE/bin/s3s-fs" ]; then exit 0; fi

say "building s3s-fs $version (three minutes on two cores)"
# In a separate target folder, so that it does not wait for a build of the project and can be removed afterwards. Little
# optimisation halves the build time; it serves two models of a few MB.
build="$ICHOR_CACHE/s3s-fs-build"
CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
  cargo install s3s-fs --version "$version" --features binary --locked --force --quiet \
  --root "$ICHOR_CACHE" --target-dir "$build"
rm -rf "$build"
stamp s3s-fs "$version"
