#!/usr/bin/env bash
# timed.sh NAME COMMAND…: runs the command and says how long it took, whether it passed or failed.
set -uo pipefail
name=$1
shift
SECONDS=0
"$@"
status=$?
if [ $status -eq 0 ]; then verdict=passed; else verdict="FAILED (exit $status)"; fi
printf '== %s: %s in %d s\n' "$name" "$verdict" "$SECONDS" >&2
exit $status
