#!/bin/sh
# Ask a served somaseg model about one image file with curl: client.sh HOST:PORT MODEL IMAGE > answer.json
set -e
printf '{"signature_name": "encoded", "instances": [{"image_bytes": {"b64": "%s"}}]}' "$(base64 < "$3" | tr -d '\n')" |
  curl --fail-with-body --silent --show-error --max-time 120 --header "Content-Type: application/json" --data-binary @- "http://$1/v1/models/$2:predict"
