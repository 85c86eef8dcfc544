# shellcheck shell=bash
# Sourced by the other scripts: where installed tools live, how a script finds out that nothing is left to install,
# and the names of the binaries.
# A stamp holds the version or the hash of the lock file, so that only a changed pin installs again.
set -euo pipefail

ICHOR_CACHE=${ICHOR_CACHE:-$HOME/.cache/ichor}
mkdir -p "$ICHOR_CACHE/bin" "$ICHOR_CACHE/stamps"

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=binaries.env
. "$SCRIPTS/binaries.env"

# stamped NAME KEY: succeeds when NAME was installed with exactly this key.
stamped() { [ "$(cat "$ICHOR_CACHE/stamps/$1" 2>/dev/null)" = "$2" ]; }

# stamp NAME KEY: records a finished installation.
stamp() { printf '%s\n' "$2" >"$ICHOR_CACHE/stamps/$1"; }

say() { printf '== %s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
