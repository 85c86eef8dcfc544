#!/usr/bin/env bash
# dist.sh [--target TRIPLE] [--binary FILE] [--output FOLDER]: packs the program for a release.
#
# Writes ichor-VERSION-TRIPLE.tar.gz and its SHA-256 checksum into FOLDER (dist/). The archive holds the one program,
# which carries its models and its page, with README, licence, model cards, SBOM and the checksums of all of them.
# Without --binary it builds the program with the default features. The same inputs give the same archive, byte for byte.
# Needs GNU tar and coreutils.
. "$(dirname "$0")/cache.sh"

cd "$SCRIPTS/.."
target="" binary="" output=dist
while [ $# -gt 0 ]; do
  case "$1" in
    --target) target=$2 ;;
    --binary) binary=$2 ;;
    --output) output=$2 ;;
    *) die "the options are --target TRIPLE, --binary FILE and --output FOLDER, not $1" ;;
  esac
  shift 2
done
host=$(rustc -vV | sed -n 's/^host: //p')
if [ -z "$binary" ]; then
  cargo build --release --locked --bin "$BINARY_CLI" ${target:+--target "$target"}
  binary="${CARGO_TARGET_DIR:-target}/${target:+$target/}release/$BINARY_CLI"
fi
target=${target:-$host}
version=$(cargo metadata --locked --no-deps --format-version 1 | python3 -c '
import json, sys
packages = json.load(sys.stdin)["packages"]
print(next(package["version"] for package in packages if package["name"] == "ichor"))')
name="ichor-$version-$target"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
root="$folder/$name"
mkdir -p "$root/model-cards" "$root/sbom"
install -m 755 "$binary" "$root/$BINARY_CLI"
install -m 644 README.md LICENSE "$root"
for card in models/*/MODEL_CARD.md; do
  install -m 644 "$card" "$root/model-cards/$(basename "$(dirname "$card")").md"
done
python3 infra/sbom.py --image program --output "$root/sbom"
(cd "$root" && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum) >"$folder/sums"
install -m 644 "$folder/sums" "$root/SHA256SUMS"

mkdir -p "$output"
# Without the time and the owner of the files, so that the archive depends on their contents only.
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$folder" -cf - "$name" | gzip -9n >"$output/$name.tar.gz"
(cd "$output" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
printf '%s, %s bytes\n' "$output/$name.tar.gz" "$(stat -c %s "$output/$name.tar.gz")"
