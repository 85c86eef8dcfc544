#!/usr/bin/env bash
# site.sh PROGRAM FOLDER: writes the page with its module, models and samples to FOLDER, for any host of static files.
# The page then has no server, and analyses in the browser of its visitor. PROGRAM is the built `ichor`, which describes
# its models. FOLDER must be new or an earlier one of this script.
. "$(dirname "$0")/cache.sh"

program=${1:?usage: site.sh PROGRAM FOLDER}
folder=${2:?usage: site.sh PROGRAM FOLDER}
cd "$SCRIPTS/.."
[ ! -e "$folder" ] || [ -f "$folder/models/models.json" ] || die "$folder exists and is not a site; name another folder"

work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cp -R frontend "$work/site"
for spec in models/*/model.json; do
  model=$(dirname "$spec")
  mkdir -p "$work/site/$model"
  cp "$spec" "$model/model.onnx" "$model/MODEL_CARD.md" "$work/site/$model/"
done

# The list of models as the API gives it; port 0 is a free one of the loopback interface.
"$program" serve --port 0 --models models --frontend frontend >"$work/serve.log" 2>&1 &
server=$!
address=""
for _ in $(seq 300); do
  address=$(sed -n 's/^Ichor is ready at //p' "$work/serve.log")
  [ -z "$address" ] || break
  kill -0 "$server" 2>/dev/null || die "the program stopped: $(cat "$work/serve.log")"
  sleep 0.1
done
[ -n "$address" ] || die "the program did not start in 30 s"

python3 - "$address" "$work/site" <<'PYTHON'
import re
import sys
import urllib.request
from pathlib import Path

address, site = sys.argv[1], Path(sys.argv[2])
with urllib.request.urlopen(f"{address}/v1/models", timeout=30) as answer:
    (site / "models" / "models.json").write_bytes(answer.read())

# No server, and connections to the host of the page only.
index = site / "index.html"
page = index.read_text(encoding="utf-8")
for pattern, replacement in [
    (r'(<meta name="ichor-api" content=")(">)', r"\g<1>none\2"),
    (r"connect-src 'self' https:;", "connect-src 'self';"),
]:
    page, count = re.subn(pattern, replacement, page)
    if count != 1:
        sys.exit(f"error: {pattern} is in index.html {count} times")
index.write_text(page, encoding="utf-8")
PYTHON

rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$work/site" "$folder"
say "$folder: $(find "$folder" -type f | wc -l) files, $(du -sh "$folder" | cut -f1)"
