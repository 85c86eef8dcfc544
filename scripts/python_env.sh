#!/usr/bin/env bash
# python_env.sh NAME REQUIREMENTS: installs the pinned REQUIREMENTS into the virtual environment $ICHOR_CACHE/NAME.
. "$(dirname "$0")/cache.sh"

name=${1:?usage: python_env.sh NAME REQUIREMENTS}
requirements=${2:?usage: python_env.sh NAME REQUIREMENTS}
[ -f "$requirements" ] || die "there is no $requirements"

key="$(python3 --version) $(sha256sum <"$requirements")"
if stamped "$name" "$key" && [ -x "$ICHOR_CACHE/$name/bin/python" ]; then exit 0; fi

say "installing $requirements into $ICHOR_CACHE/$name"
[ -x "$ICHOR_CACHE/$name/bin/python" ] || python3 -m venv "$ICHOR_CACHE/$name"
"$ICHOR_CACHE/$name/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
stamp "$name" "$key"
