#!/usr/bin/env bash
# stages.sh "NAME: TARGETS"…: makes the targets of each stage, goes on where one fails, and ends with a table of all.
# Exit status 1 where any stage failed. The output of each is kept in $ICHOR_CACHE/logs.
. "$(dirname "$0")/cache.sh"
set +e

logs="$ICHOR_CACHE/logs"
mkdir -p "$logs"
# At most so many lines of a failed stage are repeated at the end.
max_lines=25
running=
stop() {
  trap '' INT TERM HUP
  [ -z "$running" ] || kill "$running" 2>/dev/null
  wait
  summary
  exit "$1"
}
for signal in INT TERM HUP; do trap "stop $((128 + $(kill -l $signal)))" $signal; done

names=() verdicts=() seconds=() files=()

# What a failed stage said of it: the lines by which test runners, compilers and make name a failure.
failures() {
  local said='^(FAILED|ERROR) |^error(\[|:| )|^E  |panicked at|^test .* FAILED$|^test result: FAILED|^not ok|^✖|^make.*\*\*\*|^[A-Za-z.]*(Error|Exception): '
  grep -E "$said" "$1" | awk '!seen[$0]++' | tail -n $max_lines
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
  # Word splitting is meant: one stage may have several targets. In the background, so that a signal is heard at once.
  # shellcheck disable=SC2086
  "${MAKE:-make}" --no-print-directory --keep-going ${stage#*: } > >(tee "$file") 2>&1 &
  running=$!
  wait "$running"
  status=$?
  running=
  wait
  verdict=passed
  [ $status -eq 0 ] || verdict="FAILED (exit $status)"
  names+=("$name") verdicts+=("$verdict") seconds+=("$SECONDS") files+=("$file")
  printf '== %s: %s in %d s\n' "$name" "$verdict" "$SECONDS"
done
summary
