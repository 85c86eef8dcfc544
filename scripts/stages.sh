#!/usr/bin/env bash
# stages.sh "NAME: TARGETS"…: makes the targets of each stage, continues after a failure, and prints a table at the end.
# Exit status 1 if any stage failed. The output of each stage is kept in $ICHOR_CACHE/logs.
. "$(dirname "$0")/cache.sh"
set +e

logs="$ICHOR_CACHE/logs"
mkdir -p "$logs"
# Lines of a failed stage that are repeated at the end.
max_lines=25
running=""
stop() {
  trap '' INT TERM HUP
  [ -z "$running" ] || kill "$running" 2>/dev/null
  wait
  summary
  exit "$1"
}
# Expanded now on purpose: each trap has the number of its own signal.
# shellcheck disable=SC2064
for signal in INT TERM HUP; do trap "stop $((128 + $(kill -l $signal)))" $signal; done

names=() verdicts=() seconds=() files=()

# failures LOG: the lines in which test runners, compilers and make report a failure.
failures() {
  local pattern='^(FAILED|ERROR) |^error(\[|:| )|^E  |panicked at|^test .* FAILED$|^test result: FAILED|^not ok|^✖|^make.*\*\*\*|^[A-Za-z.]*(Error|Exception): '
  grep -E "$pattern" "$1" | awk '!seen[$0]++' | tail -n $max_lines
}

summary() {
  local failed=0 total=0 at
  for at in "${!names[@]}"; do
    total=$((total + seconds[at]))
    [ "${verdicts[at]}" = passed ] || failed=$((failed + 1))
  done
  for at in "${!names[@]}"; do
    [ "${verdicts[at]}" != passed ] || continue
    printf '\n== %s: %s, the whole output is in %s\n' "${names[at]}" "${verdicts[at]}" "${files[at]}"
    failures "${files[at]}"
  done
  printf '\n== %d of %d stages passed in %d s\n' $((${#names[@]} - failed)) ${#names[@]} $total
  for at in "${!names[@]}"; do printf '   %-22s %6d s   %s\n' "${names[at]}" "${seconds[at]}" "${verdicts[at]}"; done
  [ $failed -eq 0 ]
}

for stage in "$@"; do
  name=${stage%%: *}
  file="$logs/${name// /-}.log"
  printf '\n== %s\n' "$name"
  SECONDS=0
  # Unquoted on purpose: a stage may have several targets. In the background, so that signals are handled at once.
  # shellcheck disable=SC2086
  "${MAKE:-make}" --no-print-directory --keep-going ${stage#*: } > >(tee "$file") 2>&1 &
  running=$!
  wait "$running"
  status=$?
  running=""
  wait
  verdict=passed
  [ $status -eq 0 ] || verdict="FAILED (exit $status)"
  names+=("$name") verdicts+=("$verdict") seconds+=("$SECONDS") files+=("$file")
  printf '== %s: %s in %d s\n' "$name" "$verdict" "$SECONDS"
done
summary
