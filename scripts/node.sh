#!/usr/bin/env bash
# node.sh: prints the folder of a Node.js with npm that is new enough for the tests of the page: the installed one, or
# one from PyPI, because Debian 12 has version 18.
. "$(dirname "$0")/cache.sh"

new_enough() { "$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 10) ? 0 : 1)' 2>/dev/null; }
own=$(command -v node || true)
if [ -n "$own" ] && new_enough "$own" && command -v npm >/dev/null; then
  dirname "$own"
  exit
fi
"$(dirname "$0")/python_env.sh" node-venv tests/frontend/node-requirements.txt
new_enough "$ICHOR_CACHE/node-venv/bin/node" || die "the page tests need Node.js 20.10 or newer, and the one from PyPI does not run here; install it"
printf '%s\n' "$ICHOR_CACHE/node-venv/bin"
