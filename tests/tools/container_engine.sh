#!/usr/bin/env bash
# container_engine.sh COMMAND…: runs COMMAND with a container engine of its own (DOCKER_HOST), which ends with it, and
# with a Debian base in it (local/debian:bookworm-slim) that debootstrap made: no registry is asked for anything.
# Needs root; installs docker.io and debootstrap where they are missing.
. "$(dirname "$0")/cache.sh"

[ "$(id -u)" -eq 0 ] || die "a container engine of one's own needs root; with one that runs, set DOCKER_HOST and call the tests"
missing=()
[ -x /usr/bin/docker ] && command -v dockerd >/dev/null || missing+=(docker.io)
command -v debootstrap >/dev/null || missing+=(debootstrap)
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" iptables
fi

base="$ICHOR_CACHE/debian-bookworm.tar"
if [ ! -f "$base" ]; then
  say "making a Debian base"
  folder=$(mktemp -d)
  debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" >"$ICHOR_CACHE/debootstrap.log"
  # The authorities that this machine trusts, for a network that looks into what it carries.
  cp /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$folder"/var/cache/apt/archives/*.deb
  tar -C "$folder" -cf "$base.part" . && mv "$base.part" "$base"
  rm -rf "$folder"
fi

state=$(mktemp -d)
export DOCKER_HOST="unix://$state/engine.sock" ICHOR_DOCKER=/usr/bin/docker
# Layers stay in the cache, so that the second build takes seconds.
dockerd --data-root "$ICHOR_CACHE/docker" --exec-root "$state/exec" --pidfile "$state/pid" --host "$DOCKER_HOST" \
  >"$state/log" 2>&1 &
engine=$!
trap 'kill "$engine" 2>/dev/null; wait "$engine" 2>/dev/null || true; rm -rf "$state"' EXIT
for _ in $(seq 120); do
  "$ICHOR_DOCKER" version >/dev/null 2>&1 && break
  kill -0 "$engine" 2>/dev/null || die "dockerd does not start here: $(tail -1 "$state/log")"
  sleep 0.5
done
"$ICHOR_DOCKER" image inspect local/debian:bookworm-slim >/dev/null 2>&1 ||
  "$ICHOR_DOCKER" import "$base" local/debian:bookworm-slim >/dev/null
"$@"
