#!/usr/bin/env bash
# Tests stages.sh on a Makefile made here: stages continue after a failure, and the summary names the failed one.
set -euo pipefail
stages="$(cd "$(dirname "$0")/../../scripts" && pwd)/stages.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export ICHOR_CACHE="$folder/cache"
unset MAKEFLAGS MAKELEVEL MFLAGS
fail() {
  printf 'error: %s\n' "$1" >&2
  sed 's/^/  | /' out >&2
  exit 1
}
printf '%s\n' 'good:' '	@echo "3 passed in 0.1s"' 'missing:' '	@echo "error: no such tool" >&2; exit 3' \
  'bad: missing good' 'late:' '	@echo "test result: ok"' 'slow:' '	@echo $$$$ >pid; exec sleep 60' >Makefile

"$stages" 'first: good' 'second stage: missing good' 'third: late' >out 2>&1 && fail 'a failed stage, and exit status 0'
grep -q '^test result: ok$' out || fail 'the stage after the failed one did not run'
[ "$(grep -c '^3 passed in 0.1s$' out)" = 2 ] || fail 'a failed target keeps the other of its stage from being made'
tail -n 4 out | grep -qE '^== 2 of 3 stages passed in [0-9]+ s$' || fail 'the summary does not count'
tail -n 3 out | grep -qE '^   second stage +[0-9]+ s   FAILED \(exit 2\)$' || fail 'the table does not name the failed stage'
[ "$(grep -c '^error: no such tool$' out)" = 2 ] || fail 'the failure is not repeated at the end'

"$stages" 'first: good' 'third: late' >out 2>&1 || fail 'all passed, and the exit status says otherwise'
tail -n 3 out | grep -qE '^== 2 of 2 stages passed' || fail 'the summary does not count'

"$stages" 'first: good' 'slow: slow' 'third: late' >out 2>&1 &
run=$!
for _ in $(seq 200); do
  if [ -s pid ]; then break; fi
  sleep 0.05
done
kill -TERM $run
status=0
wait $run || status=$?
[ $status = 143 ] || fail "ended by SIGTERM with status $status"
kill -0 "$(cat pid)" 2>/dev/null && fail 'what the stage started outlives it'
grep -q '^test result: ok$' out && fail 'stages run on after SIGTERM'
echo 'stages: 3 runs as expected'
