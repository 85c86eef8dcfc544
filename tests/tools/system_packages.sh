#!/usr/bin/env bash
# Installs the programs the tests start that come from the distribution: a C compiler, Python with venv,
# Node.js, Chromium and dciodvfy. Does nothing where all are there; needs apt and root (or sudo) only where one is missing.
. "$(dirname "$0")/cache.sh"

missing=()
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v python3 >/dev/null || missing+=(python3)
# Debian splits ensurepip from python3; without it a virtual environment has no pip.
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v chromium >/dev/null || missing+=(chromium fonts-liberation)
command -v dciodvfy >/dev/null || missing+=(dicom3tools)
command -v cargo >/dev/null || die "cargo is missing: install Rust from https://rustup.rs, then run make test again"

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

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  die "Python 3.11 or newer is needed, this is $(python3 --version)"
[ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] || die "Node.js 20.10 or newer is needed, this is $(node --version)"
