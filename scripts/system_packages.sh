#!/usr/bin/env bash
# system_packages.sh GROUP…: installs programs that the tests need from the distribution. Groups:
#   base   a C compiler, Python with venv, rustfmt and clippy
#   dicom  dciodvfy
#   pacs   Orthanc and dcmtk
#   page   Chromium and fonts (Node.js: node.sh)
#   wasm   a Rust compiler with the sources of its library, and a linker, for WebAssembly
# Does nothing if all are installed; needs apt and root (or sudo) only if one is missing.
. "$(dirname "$0")/cache.sh"

missing=()
need() { command -v "$1" >/dev/null || missing+=("${@:2}"); }
for group in "$@"; do
  case "$group" in
    base)
      need cc gcc libc6-dev
      need python3 python3
      # Debian splits ensurepip from python3; without it a virtual environment has no pip.
      python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
      [ -f /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
      ;;
    dicom) need dciodvfy dicom3tools ;;
    pacs)
      if [ -d /run/systemd/system ] && ! command -v Orthanc >/dev/null; then
        # There the package starts a server that the whole network can reach.
        say "Orthanc is not installed here; the tests that need it are skipped. To run them: sudo apt install orthanc dcmtk jq," \
          "then sudo systemctl disable --now orthanc"
        continue
      fi
      need Orthanc orthanc
      need storescu dcmtk
      need curl curl
      need jq jq
      need ip iproute2
      ;;
    page) need chromium chromium fonts-liberation ;;
    wasm) need wasm-ld-22 rustc-web cargo-web rust-web-src lld-22 ;;
    *) die "the groups are base, dicom, pacs, page and wasm, not $group" ;;
  esac
done

if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || die "install these yourself (there is no apt-get here): ${missing[*]}"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || die "run as root, or first: sudo apt-get install ${missing[*]}"
    as_root=(sudo -n)
  fi
  say "installing ${missing[*]}"
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

case " $* " in
  *" base "*)
    command -v cargo >/dev/null || die "cargo is missing: install Rust from https://rustup.rs, then run make test again"
    # The minimal profile of rustup has neither.
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
      die "Python 3.11 or newer is needed, this is $(python3 --version)"
    ;;
esac
