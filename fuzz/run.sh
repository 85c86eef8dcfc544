#!/usr/bin/env bash
# Fuzzes one decoder on the stable compiler: fuzz/run.sh TARGET [RUNS], TARGET one of dicom, nifti,
# archive, raster, multipart, assess. Inputs that add coverage are kept in the cache; a finding ends the run and is
# written to fuzz/findings/TARGET. Copy it to fuzz/seeds/TARGET once fixed: seeds are ordinary tests.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${1:?usage: fuzz/run.sh dicom|nifti|archive|raster|multipart|assess [RUNS]}
runs=${2:-1000000}
cache=${ICHOR_CACHE:-$HOME/.cache/ichor}/fuzz
mkdir -p "$cache/corpus/$target" "fuzz/findings/$target" "fuzz/seeds/$target"
# Coverage as `cargo fuzz` sets it up, without the sanitizers that need a nightly compiler: the code
# is safe Rust. The target triple keeps the flags away from build scripts.
host=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
CARGO_TARGET_DIR="$cache/target" cargo build --release --locked --manifest-path fuzz/Cargo.toml \
  --target "$host" --bin "$target"
exec "$cache/target/$host/release/$target" "$cache/corpus/$target" "fuzz/seeds/$target" \
  -runs="$runs" -seed=1 -max_len=8192 -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=256 \
  -artifact_prefix="fuzz/findings/$target/" -print_final_stats=1
