# Sourced by the install scripts: where installed things live, and how a script knows it has nothing to do.
# A stamp names the version or the hash of the lock file, so a changed pin installs again and nothing else does.
set -euo pipefail

ICHOR_CACHE=${ICHOR_CACHE:-$HOME/.cache/ichor}
mkdir -p "$ICHOR_CACHE/bin" "$ICHOR_CACHE/stamps"

# stamped NAME KEY: true when NAME was installed with exactly this key.
stamped() { [ "$(cat "$ICHOR_CACHE/stamps/$1" 2>/dev/null)" = "$2" ]; }

# stamp NAME KEY: records a finished install.
stamp() { printf '%s\n' "$2" >"$ICHOR_CACHE/stamps/$1"; }

say() { printf '== %s\n' "$*" >&2; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
