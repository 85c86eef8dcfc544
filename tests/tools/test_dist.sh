#!/usr/bin/env bash
# Tests dist.sh with a program that exists already (ICHOR_BIN): what the archive holds, that its checksums are right,
# and that the program works in a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

scripts/dist.sh --binary "${ICHOR_BIN:?names the program, as in make tool-tests}" --output "$folder/first" >/dev/null 2>&1
scripts/dist.sh --binary "$ICHOR_BIN" --output "$folder/second" >/dev/null 2>&1
archives=("$folder"/first/*)
[ ${#archives[@]} = 2 ] || fail "the folder holds ${archives[*]}, not an archive and its checksum"
diff -r "$folder/first" "$folder/second" >/dev/null || fail 'the same inputs give another archive'
(cd "$folder/first" && sha256sum --check --quiet ./*.sha256) || fail 'the checksum of the archive is wrong'

mkdir "$folder/unpacked"
tar -C "$folder/unpacked" -xzf "${archives[0]}"
roots=("$folder"/unpacked/*)
cd "${roots[0]}"
[[ $(basename "$PWD") =~ ^ichor-[0-9]+\.[0-9]+\.[0-9]+-[a-z0-9_-]+$ ]] || fail "the folder inside is called $(basename "$PWD")"
found=$(find . -type f -printf '%P\n' | LC_ALL=C sort | tr '\n' ' ')
expected="LICENSE README.md SHA256SUMS ichor model-cards/deeplabv3.md model-cards/unet.md"
expected+=" sbom/program-licences.md sbom/program.cdx.json "
[ "$found" = "$expected" ] || fail "the archive holds $found"
sha256sum --check --quiet SHA256SUMS || fail 'a checksum inside the archive is wrong'
[ "$(wc -l <SHA256SUMS)" = 7 ] || fail 'not every file has a checksum'
[ "ichor-$(./ichor --version | cut -d' ' -f2)" = "$(basename "$PWD" | cut -d- -f1-2)" ] || fail 'the version of the program is another'
./ichor models | grep -q deeplabv3 || fail 'the program does not start, or carries no model'
printf 'damaged' >>README.md
if sha256sum --check --quiet SHA256SUMS >/dev/null 2>&1; then fail 'a damaged file has the right checksum'; fi
echo 'dist: archive, checksums and program as expected'
