#!/usr/bin/env bash
# load.sh BINARY OPTIONS…: starts the server on a free port, sends mixed requests to it (load.py), and stops it.
set -euo pipefail
binary=$1
shift
folder=$(cd "$(dirname "$0")" && pwd)
cd "$folder/.."
exec 3< <(exec "$binary" serve --port 0)
server=$!
trap 'kill "$server"' EXIT
read -r line <&3
[[ $line == *http://* ]] || {
  echo "error: the server did not start" >&2
  exit 1
}
python3 "$folder/load.py" --url "${line##* }" --pid "$server" "$@"
