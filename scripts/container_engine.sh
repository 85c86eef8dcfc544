#!/usr/bin/env bash
# container_engine.sh [--if-possible] COMMAND…: starts a container engine for COMMAND (DOCKER_HOST) and stops it
# afterwards. The engine holds a Debian base (ICHOR_BASE) made by debootstrap, so that no registry is needed.
# Needs root; installs docker.io and debootstrap if they are missing.
#
# With --if-possible COMMAND runs in any case: with an engine that already answers, or with one started here, or
# without an engine, which is printed loudly.
. "$(dirname "$0")/cache.sh"

required=yes
if [ "${1:-}" = --if-possible ]; then
  required=no
  shift
fi
without_engine() {
  local reason=$1
  shift
  [ $required = no ] || die "$reason"
  printf '== NO CONTAINER ENGINE, tests in containers are skipped: %s\n' "$reason" >&2
  exec "$@"
}

if [ $required = no ] && "${ICHOR_DOCKER:-docker}" info >/dev/null 2>&1; then exec "$@"; fi
[ "$(id -u)" -eq 0 ] || without_engine "only root can start one here; set DOCKER_HOST to use one that runs" "$@"
missing=()
[ -x /usr/bin/docker ] && command -v dockerd >/dev/null || missing+=(docker.io)
command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v iptables >/dev/null || missing+=(iptables)
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || without_engine "${missing[*]} are missing, and there is no apt-get to install them" "$@"
  say "installing ${missing[*]}"
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } ||
    without_engine "${missing[*]} cannot be installed" "$@"
fi

base="$ICHOR_CACHE/debian-bookworm.tar"
if [ ! -f "$base" ]; then
  say "making a Debian base"
  folder=$(mktemp -d)
  if ! debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" >"$ICHOR_CACHE/debootstrap.log"; then
    rm -rf "$folder"
    without_engine "debootstrap failed, $ICHOR_CACHE/debootstrap.log has the reason" "$@"
  fi
  # The certificate authorities of this machine, for networks that inspect TLS traffic.
  cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$folder"/var/cache/apt/archives/*.deb
  tar -C "$folder" -cf "$base.part" . && mv "$base.part" "$base"
  rm -rf "$folder"
fi

state=$(mktemp -d)
export DOCKER_HOST="unix://$state/engine.sock" ICHOR_DOCKER=/usr/bin/docker
engine="" command=""
# The command is stopped before the engine that it uses, and both before this script ends.
stop() {
  trap '' INT TERM HUP
  if [ -n "$command" ]; then
    kill "$command" 2>/dev/null || true
    wait "$command" 2>/dev/null || true
  fi
  if [ -n "$engine" ]; then
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
  fi
  rm -rf "$state"
}
trap stop EXIT
# Expanded now on purpose: each trap has the number of its own signal.
# shellcheck disable=SC2064
for signal in INT TERM HUP; do trap "exit $((128 + $(kill -l $signal)))" $signal; done
# Layers stay in the cache, so that a second build takes seconds. In a separate session, because Ctrl-C must not reach
# the engine: this script stops it.
setsid setpriv --pdeathsig TERM dockerd --data-root "$ICHOR_CACHE/docker" --exec-root "$state/exec" --pidfile "$state/pid" --host "$DOCKER_HOST" \
  >"$state/log" 2>&1 &
engine=$!
for _ in $(seq 120); do
  "$ICHOR_DOCKER" version >/dev/null 2>&1 && break
  if ! kill -0 "$engine" 2>/dev/null; then
    log=$(grep -v level=info "$state/log" | tail -3)
    trap - EXIT
    rm -rf "$state"
    unset DOCKER_HOST ICHOR_DOCKER
    without_engine "dockerd does not start here: $log" "$@"
  fi
  sleep 0.5
done
export ICHOR_BASE=local/debian:bookworm-slim
"$ICHOR_DOCKER" image inspect "$ICHOR_BASE" >/dev/null 2>&1 || "$ICHOR_DOCKER" import "$base" "$ICHOR_BASE" >/dev/null
# In the background: a shell that waits for a command in the foreground handles no signal.
"$@" &
command=$!
wait "$command"
