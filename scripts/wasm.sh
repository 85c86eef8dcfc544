#!/usr/bin/env bash
# wasm.sh FOLDER [FEATURES]: builds the WebAssembly module of crates/ichor-wasm and writes to FOLDER:
#   ichor.wasm     the module; with the feature relaxed-simd, for engines that have a fused multiply-add
#   manifest.json  the hash of the module and of the sources it was built from
# The compiler is the installed one with its wasm32 library; where that cannot be installed, Debian's packages.
. "$(dirname "$0")/cache.sh"

folder=${1:?usage: wasm.sh FOLDER [FEATURES]}
features=${2:-}
root=$(cd "$SCRIPTS/.." && pwd)
target=wasm32-unknown-unknown
build=${CARGO_TARGET_DIR:-$root/target}

# Names of folders of this machine stay out of the module, so that every machine builds the same.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
flags="-C target-feature=+simd128 --remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$root=/ichor"

standard_library=()
cargo=cargo
if rustup target add "$target" >/dev/null 2>&1 || [ -d "$(rustc --print sysroot)/lib/rustlib/$target" ]; then
  rustc=rustc
else
  say "no $target library for the installed compiler; using Debian's"
  "$SCRIPTS/system_packages.sh" base wasm
  # Without a library for wasm32 its sources are compiled too, which a released compiler only does when asked so.
  export RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc
  cargo=/usr/bin/cargo
  rustc=/usr/bin/rustc
  standard_library=(-Z "build-std=std,panic_abort")
  flags+=" -C linker=wasm-ld-22"
fi

say "compiling"
(cd "$root" && RUSTFLAGS="$flags" CARGO_TARGET_DIR="$build" "$cargo" rustc --locked --profile wasm --package ichor-wasm --lib \
  --crate-type cdylib --target "$target" "${standard_library[@]}" --features "$features")

"$SCRIPTS/node_modules.sh" "$root/tests/frontend"
node=$("$SCRIPTS/node.sh")
binaryen=$root/tests/frontend/node_modules/.bin
instructions=(--enable-simd --enable-bulk-memory --enable-bulk-memory-opt --enable-nontrapping-float-to-int --enable-sign-ext
  --enable-mutable-globals --enable-multivalue --enable-reference-types)
[ "$features" != relaxed-simd ] || instructions+=(--enable-relaxed-simd)

say "shrinking"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"
# Keeps the exports of the interface. Dependencies export functions for wasm-bindgen and import theirs, which nothing uses.
PATH=$node:$PATH "$binaryen/wasm-metadce" "$build/$target/wasm/ichor_wasm.wasm" "${instructions[@]}" \
  --graph-file "$SCRIPTS/wasm_exports.json" -o "$work/used.wasm" >/dev/null
PATH=$node:$PATH "$binaryen/wasm-opt" "$work/used.wasm" "${instructions[@]}" --gufa -Oz --strip-debug --strip-producers \
  -o "$folder/ichor.wasm"
python3 "$SCRIPTS/wasm_manifest.py" --write "$folder" --compiler "$("$rustc" --version)"
