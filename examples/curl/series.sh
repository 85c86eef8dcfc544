#!/usr/bin/env bash
# Uploads a series, waits for its job, and saves the result.
#   examples/curl/series.sh series.zip [FOLDER]
set -euo pipefail
url=${ICHOR_URL:-http://127.0.0.1:8080}
series=${1:?usage: series.sh FILE [FOLDER]}
folder=${2:-.}
ask() { curl --fail-with-body --silent --show-error "$@"; }
# field NAME: the text of a field of the JSON on standard input. A program would use a JSON parser, such as jq.
field() { grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4; }

# 1. Order: the size and the type of the upload, and the parameters of the segmentation.
size=$(wc -c <"$series" | tr -d ' ')
order=$(ask --header 'content-type: application/json' \
  --data "{\"content_type\": \"application/zip\", \"size_bytes\": $size}" "$url/v1/uploads")
job=$(field job_url <<<"$order")
upload=$(field url <<<"$order")

# 2. Upload. The address is relative without S3. It needs no credentials.
case $upload in /*) upload=$url$upload ;; esac
ask --upload-file "$series" --header 'content-type: application/zip' "$upload"

# 3. Wait: 202 means that the job is queued or running.
while [ "$(ask --output "$folder/job.json" --write-out '%{http_code}' "$url$job")" = 202 ]; do sleep 1; done

# 4. Result, and deletion. Without it everything is deleted after a day.
result=$(field result_url <"$folder/job.json")
[ -n "$result" ] || {
  cat "$folder/job.json" >&2
  exit 1
}
case $result in /*) result=$url$result ;; esac
ask --output "$folder/result.json" "$result"
ask --request DELETE "$url$job"
ls "$folder/result.json"
