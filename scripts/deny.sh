#!/usr/bin/env bash
# deny.sh: checks the dependencies by deny.toml: licences, bans and sources, and known vulnerabilities.
#
# cargo-deny takes about ten minutes of two cores to build, so that it is not installed here and not part of `make test`.
# The database of vulnerabilities comes from the network; without it that check is skipped, loudly.
. "$(dirname "$0")/cache.sh"

cd "$SCRIPTS/.."
if ! cargo deny --version >/dev/null 2>&1; then
  say "SKIPPED: cargo-deny is not installed, no dependency was checked. Install it with: make cargo-deny"
  exit 0
fi
cargo deny --locked check licenses bans sources
if ! cargo deny fetch db; then
  say "SKIPPED: the database of vulnerabilities cannot be fetched, no dependency was checked for vulnerabilities"
  exit 0
fi
cargo deny --locked check advisories
