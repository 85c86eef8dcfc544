#!/usr/bin/env bash
# Sends one slice and saves the report, the overlay and the mask.
#   examples/curl/slice.sh slice.png [FOLDER]
set -euo pipefail
url=${ICHOR_URL:-http://127.0.0.1:8080}
slice=${1:?usage: slice.sh FILE [FOLDER]}
folder=${2:-.}

# The body is the file itself: PNG, JPEG, DICOM, NIfTI or a zip. Ichor recognises the format from its bytes.
curl --fail-with-body --silent --show-error --data-binary "@$slice" \
  --output "$folder/report.json" "$url/v1/segment?include=contours"
curl --fail-with-body --silent --show-error --data-binary "@$slice" --header 'accept: image/png' \
  --output "$folder/overlay.png" "$url/v1/segment"

# A mask inside the report is a PNG in base64.
curl --fail-with-body --silent --show-error --data-binary "@$slice" "$url/v1/segment?include=mask" |
  sed -n 's/.*"mask":{[^}]*"base64":"\([^"]*\)".*/\1/p' | base64 --decode >"$folder/mask.png"
ls "$folder/report.json" "$folder/overlay.png" "$folder/mask.png"
